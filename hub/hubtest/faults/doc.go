// Package faults breaks things while people talk: it kills the program and its
// database, cuts connections, and stops reading from them, and then proves that
// nobody noticed more than a delay.
//
// Clients that behave as the widget does drive the program, as it is built, over
// real sockets, and write down what they sent, what was acknowledged and what
// they were shown: a [History]. Once everything has been acknowledged, the
// database's rows are added to it, and [Verify] compares:
//
//   - what was acknowledged is in the log once, where the acknowledgement said,
//     word for word; and in the end everything was acknowledged;
//   - every member was shown the whole log, in its order, nothing twice;
//   - every bell is one escalation event, with its email and job for each
//     recipient, or joined the escalation that was open.
//
// The faults are drawn from a seed, which a failing test prints. FAULTS_SEED
// repeats the same faults at the same points of the conversation; the moments
// themselves are the machine's. The flag -long takes ten times as many:
//
//	FAULTS_SEED=7 go test -run 'TestFaults/MariaDB' ./hub/hubtest/faults
//	go test -timeout 30m ./hub/hubtest/faults -long
package faults
