// Package mail carries a visitor's call for a person to the domain's team.
//
// It never decides who is written to: the escalation plugin stores one email a
// recipient and its job in the transaction of the bell itself (see
// storage.AddEmails). This package takes it from there:
//
//	job ── may it still go? ── mint the link ── render ── Sender ── write down, tell the room
//
// # Where emails go
//
// With a Mailgun key they leave through Mailgun. Without one, in development,
// they land in the mailbox at /mailbox. Without one in production nothing is
// captured and nothing is sent: jobs stay where they are, emails are held, and
// the bell is answered "logged". Once mail is configured, those younger than
// storage.HeldLife go out and older ones expire.
//
// # What is promised
//
//   - An email is retried until it is sent or visibly failed: state, attempts
//     and the last error stand in its row after each attempt.
//   - At least once: Mailgun has no idempotency key, so an answer that was lost
//     means a second email. All attempts carry the same Message-Id and delivery
//     id, which lets mail programs, and people, see that they are one.
//   - The link's token exists in the email alone. It is minted for the attempt,
//     its hash is stored, and the bodies kept for people have it cut out. The
//     development mailbox is a receiver and keeps it, in memory.
//   - A rule that was switched off after the bell gets no email.
//   - Errors and logs name neither key nor token: a [Failure] holds text that
//     was scrubbed, and no cause that could be printed by mistake.
//   - The room learns of the outcome once an escalation: "notified" (in
//     development "captured") with the first email accepted, "unreachable" when
//     the last one failed for good. A person who joined in the meantime makes
//     both pointless, and they are left out.
//
// # Metrics
//
//	bellhub_mail_attempts_total{outcome}   what the provider said: accepted, or why not; alert on unauthorized
//
// # What a visitor writes
//
// A reason is quoted in an email that the team trusts. So it is stripped of
// control and direction characters, escaped in HTML, and whatever a mail
// program would turn into a link is defanged: hxxps://evil[.]example.
package mail
