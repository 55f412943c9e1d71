package assistant

import (
	"slices"
	"strings"
)

// The languages that questions are told apart in, and answered in.
const (
	english    = "en"
	indonesian = "id"
)

// stopWords carry no subject: they are neither indexed nor looked up. With them
// stand the verbs that nearly every question to a business has (do you have …),
// which would otherwise find a passage for anything.
var stopWords = map[string]map[string]bool{
	english: set(`a about all also am an and any anybody anyone anything are arent as ask at be bring because been being both but by can cant could
		did do does doesnt doing dont else every everything for from get getting give go going got had has hasnt have havent having
		he hello her here hey hi him his how i id if ill im in information info into is isnt it its ive just kind know let lets long like
		many may much me might more most my need no not now of off offer ok okay on one only or other our ours out please possible
		question quick really see sell she should so some something sort take tell than thank thanks that thats the their them
		then there theres these they thing things think this those to too tried try trying up us use very want wanted was we well were what
		whats when where wheres which while who whom whose why will with wondering wont would yes you your yours youre`),
	indonesian: set(`ada adakah adalah agar akan aku anda apa apakah atau bagaimana bagi bahwa bawa berapa banget baru bisa bisakah boleh bolehkah buat bukan
		dalam dan dapat dari dengan deh di dia dong gimana gak ga hai halo harus hanya ini itu jadi jika juga kah kak kalau kalian kami
		kamu kan kapan karena ke kenapa kita lagi lah lama lebih lewat maaf mana mas masih mau mbak mengapa mereka min mohon mungkin nggak
		nya oleh pada para perlu pakai permisi punya saja sampai sangat saya sebuah seperti siapa sih silakan sudah supaya tahu tapi
		tau telah tentang tidak tolong untuk yaitu yang ya`),
}

// kin are groups of words that ask for the same: what one says finds what says
// another, at a discount. They are the trades' commonplaces, not one shop's.
var kin = groups(`
	ship delivery deliver post courier parcel kirim pengiriman antar ongkir mengirim dikirim paket kurir
	price cost charge fee expensive cheap harga biaya tarif
	return refund exchange retur pengembalian kembalikan tukar dikembalikan mengembalikan
	broken damaged faulty wrong rusak salah cacat
	open hour close closed time buka jam tutup jadwal
	address location located find directions alamat lokasi
	pay payment card paypal bayar pembayaran membayar transfer
	invoice receipt bill tax faktur nota kuitansi pajak
	cancel pause skip stop batal batalkan berhenti
	subscribe subscription langganan berlangganan
	allergy allergen allergic gluten nut dairy alergi alergen
	vegan dairy milk oat susu
	contact email phone whatsapp telephone call kontak telepon hubungi
	wholesale bulk reseller business grosir partai
	class workshop course lesson lokakarya kelas kursus belajar
	visit tour kunjungan berkunjung mengunjungi
	gift voucher hadiah
	brew recipe seduh menyeduh seduhan resep
	grind ground giling digiling
	fresh freshness roast sangrai segar disangrai
	job career hiring vacancy lowongan kerja karier
	storage store keep simpan menyimpan penyimpanan
`)

// kinWeight is what a word of the same group counts, beside the word itself.
const kinWeight = 0.45

// languageOf tells which language a text looks like: by the words that only
// the grammar of one has, and, in few words, by the Indonesian kin.
func languageOf(text string) string {
	var en, id int
	for w := range words(text) {
		switch {
		case stopWords[english][w] && stopWords[indonesian][w]:
		case stopWords[english][w]:
			en++
		case stopWords[indonesian][w] || indonesianHints[w] || strings.HasSuffix(w, "nya"):
			id++
		}
	}
	if id > en {
		return indonesian
	}
	return english
}

// indonesianHints tell a short question's language where it has no grammar:
// "Jam buka?"
var indonesianHints = set(`kirim pengiriman antar ongkir paket kurir harga biaya tarif retur pengembalian tukar rusak cacat buka jam tutup
	jadwal alamat lokasi bayar pembayaran faktur nota kuitansi pajak batal langganan berlangganan alergi kontak telepon hubungi grosir
	kelas kursus belajar kunjungan berkunjung hadiah seduh menyeduh giling sangrai lowongan kerja simpan terima kasih makasih selamat
	pagi siang sore malam bicara orang manusia asli kopi biji susu hari dimana minggu kapan hewan anak gratis luar negeri`)

func set(list string) map[string]bool {
	m := map[string]bool{}
	for _, w := range strings.Fields(list) {
		m[w] = true
	}
	return m
}

// groups maps each word's stem to the stems of the others in its lines.
func groups(lines string) map[string][]string {
	m := map[string][]string{}
	for line := range strings.Lines(lines) {
		var stems []string
		for _, w := range strings.Fields(line) {
			stems = append(stems, stem(w))
		}
		for _, s := range stems {
			for _, other := range stems {
				if other != s && !slices.Contains(m[s], other) {
					m[s] = append(m[s], other)
				}
			}
		}
	}
	return m
}
