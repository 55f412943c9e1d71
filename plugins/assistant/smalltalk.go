package assistant

import (
	"slices"
	"strings"
)

// smallTalk answers what is no question to the knowledge, or returns "". It is
// narrow on purpose: "hello, do you ship to Oslo?" is a question.
func smallTalk(q Question, say phrasebook) string {
	all := slices.Collect(words(q.Text))
	only := func(groups ...map[string]bool) bool {
		return len(all) > 0 && !slices.ContainsFunc(all, func(w string) bool {
			return !slices.ContainsFunc(groups, func(g map[string]bool) bool { return g[w] })
		})
	}
	has := func(group map[string]bool) bool {
		return slices.ContainsFunc(all, func(w string) bool { return group[w] })
	}
	text := " " + strings.Join(all, " ") + " "
	asks := func(list []string) bool {
		return slices.ContainsFunc(list, func(s string) bool { return strings.Contains(text, " "+s+" ") })
	}
	switch {
	case asks(wantsPerson) && !(len(all) > 12 && len(q.Passages) > 0 && fits(q.Passages[0])),
		len(all) <= 3 && only(personWords, please) && has(personWords):
		return say.person
	case asks(whoAreYou) && len(all) <= 8:
		return strings.ReplaceAll(say.who, "{name}", literal(q.Domain))
	case asks(howAreYou) && len(all) <= 7:
		return say.fine
	case asks(whatCanYou) && len(all) <= 8, len(all) == 1 && (all[0] == "help" || all[0] == "bantuan"):
		return withTopics(q, say)
	case only(thanksWords, greetings, please) && has(thanksWords):
		return say.thanks
	case only(byes, greetings) && has(byes):
		return say.bye
	case only(greetings, please) && has(greetings):
		return withTopics(q, say)
	}
	return ""
}

// topicsShown is how many titles a greeting names: a taste, not a menu.
const topicsShown = 5

func withTopics(q Question, say phrasebook) string {
	if len(q.Topics) == 0 {
		return say.hello
	}
	var b strings.Builder
	b.WriteString(say.hello + " " + say.topics + "\n")
	for _, t := range q.Topics[:min(len(q.Topics), topicsShown)] {
		b.WriteString("\n- " + literal(t))
	}
	return b.String()
}

var (
	greetings = set(`hi hello hey heya howdy greetings good morning afternoon evening day there all everyone halo hai hallo helo
		selamat pagi siang sore malam permisi assalamualaikum kak min mas mbak bu pak`)
	please      = set("please tolong dong ya yes oh ok okay great perfect cool nice sip oke baik")
	thanksWords = set("thanks thank you thx ty cheers so much very a lot many for that your the help terima kasih makasih trims banyak atas bantuannya ya")
	byes        = set("bye goodbye byebye see you later ciao dadah daah dah sampai jumpa nanti")
	personWords = set("human person agent admin staff operator manusia orang petugas cs someone")
	whoAreYou   = []string{
		"who are you", "what are you", "are you a bot", "are you a robot", "are you a human", "are you human", "are you real", "are you a person",
		"are you an ai", "is this a bot", "is this a human", "is this a real person", "am i talking to", "your name",
		"siapa kamu", "siapa anda", "kamu siapa", "anda siapa", "ini bot", "ini robot", "ini manusia", "apakah ini orang", "kamu bot", "kamu robot",
	}
	howAreYou   = []string{"how are you", "hows it going", "how is it going", "whats up", "apa kabar", "gimana kabarnya"}
	whatCanYou  = []string{"what can you do", "what can you help", "how can you help", "what do you know", "can you help me", "i need help", "bisa bantu apa", "bisa apa", "butuh bantuan", "minta bantuan"}
	wantsPerson = []string{
		"talk to a human", "talk to a person", "talk to someone", "talk to somebody", "talk to an agent", "talk to an admin", "talk to a real person",
		"talk with a human", "talk with a person", "talk with someone", "speak to a human", "speak to a person", "speak to someone", "speak to an agent",
		"speak to a real person", "speak with a human", "speak with a person", "speak with someone", "chat with a human", "chat with a person",
		"real person", "real human", "a human being", "human please", "live agent", "live person", "customer service", "contact admin",
		"contact an admin", "call an admin", "get a human", "get me a human", "need a human", "want a human", "need a person", "want a person",
		"bicara dengan", "berbicara dengan", "ngobrol dengan", "bicara sama", "ngomong sama", "hubungi admin", "panggil admin", "orang asli", "manusia asli", "panggilkan admin",
	}
)
