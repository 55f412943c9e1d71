package assistant

// phrasebook is what the built-in Responder says in its own words. It answers
// in the language of the question, whatever the page's is, so the words are
// here and not with those of the pages.
type phrasebook struct {
	unknown string // nothing fits
	closest string // something fits in part
	from    string // before the titles
	hello   string
	topics  string // before what it can be asked about
	thanks  string
	bye     string
	who     string // {name} is the domain's
	person  string // wants a person
	fine    string // how are you
}

// No phrase promises that somebody will come, or says that anybody was called:
// the bell alone can, and it tells the visitor what came of it.
var phrases = map[string]phrasebook{
	english: {
		unknown: "I don't know that from what I have here. Press the bell next to the message box and a person can help.",
		closest: "This is the closest I have:",
		from:    "From",
		hello:   "Hello! What would you like to know?",
		topics:  "You can ask me about:",
		thanks:  "You're welcome. If anything else comes up, just ask.",
		bye:     "Goodbye, and thanks for stopping by.",
		who:     "I'm an AI assistant, not a person. I answer from what {name} has written down. For a person, press the bell next to the message box.",
		person:  "Yes. Press the bell next to the message box and write in a line what it is about: that asks the team for a person. I can't ring it for you, and we can go on chatting meanwhile.",
		fine:    "All well here, thanks. What would you like to know?",
	},
	indonesian: {
		unknown: "Maaf, saya tidak menemukan jawabannya di catatan saya. Tekan lonceng di samping kotak pesan agar seorang admin bisa membantu.",
		closest: "Ini yang paling mendekati di catatan saya:",
		from:    "Dari",
		hello:   "Halo! Ada yang ingin Anda tanyakan?",
		topics:  "Anda bisa bertanya tentang:",
		thanks:  "Sama-sama. Kalau ada lagi, silakan tanya.",
		bye:     "Sampai jumpa, terima kasih sudah mampir.",
		who:     "Saya asisten AI, bukan manusia. Saya menjawab dari catatan {name}. Untuk berbicara dengan orang, tekan lonceng di samping kotak pesan.",
		person:  "Bisa. Tekan lonceng di samping kotak pesan dan tulis singkat keperluannya: itu meminta seorang admin dari tim. Saya tidak bisa menekannya untuk Anda, tetapi kita bisa terus mengobrol.",
		fine:    "Baik, terima kasih. Ada yang ingin Anda tanyakan?",
	},
}
