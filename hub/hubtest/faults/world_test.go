package faults

//lint:file-ignore SA1019 the server's own library, from its other end

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nhooyr.io/websocket"

	"github.com/bellhub/bellhub/hub/hubtest"
	"github.com/bellhub/bellhub/hub/hubtest/process"
	"github.com/bellhub/bellhub/storage"
)

func TestMain(m *testing.M) {
	all := []string{"escalation", "mail", "console"} // bells, emails, and admins who sign in
	os.Exit(process.Main(m, process.Needs{"TestFaults": all, "TestKills": all, "TestTheDatabaseGoesAwayAndComesBack": all}))
}

// patience is how long a run waits for progress before it fails.
const patience = time.Minute

// recipients are whom the bells are emailed to.
var recipients = []string{"ana@shop.example", "ben@shop.example"}

// world is a server, its database, and everybody who talks through it.
type world struct {
	t     *testing.T
	began time.Time
	rnd   *rand.Rand // the faults'

	mariadb  *hubtest.MariaDBServer // nil with SQLite
	database string                 // its address, or empty
	dir      string
	addr     string
	url      string
	server   *process.Process
	console  string          // a link that signs in
	starts   []time.Duration // how long each took

	store    *storage.Store // the same database, from outside
	domain   storage.Domain
	rooms    []*conversation
	members  []*member
	progress *tally         // frames answered for good
	refused  *tally         // frames that were asked to come again
	running  sync.WaitGroup // members
	stalls   sync.WaitGroup // who does not read now
	done     []string       // the faults so far
	broken   bool           // the database failed

	mu       sync.Mutex
	counts   map[string]int
	problems []string
}

// newWorld starts a server on a fresh database, with one domain.
func newWorld(t *testing.T, seed uint64, mariadb bool) *world {
	t.Helper()
	w := &world{
		t: t, began: time.Now(), rnd: rand.New(rand.NewPCG(seed, 0)), dir: t.TempDir(), addr: hubtest.FreeAddr(t),
		progress: newTally(), refused: newTally(), counts: map[string]int{},
	}
	w.url = "http://" + w.addr
	if mariadb {
		w.mariadb = hubtest.OwnMariaDB(t)
		w.database = w.mariadb.Address()
	}
	process.Command(t, w.env(), "domain", "add", "The Shop", "-key", "shop", "-ai=false", "-data", w.dir)
	w.openStore()
	w.serve()
	return w
}

func (w *world) env() []string {
	if w.database == "" {
		return nil
	}
	return []string{"BELLHUB_DATABASE=" + w.database}
}

// openStore opens the database beside the server, and says who gets the bells.
func (w *world) openStore() {
	w.t.Helper()
	address := w.database
	if address == "" {
		address = w.dir + "/bellhub.db"
	}
	ctx := context.Background()
	var err error
	if w.store, err = storage.Open(ctx, storage.Options{URL: address}); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = w.store.Close() })
	if w.domain, err = storage.DomainByKey(storage.With(ctx, w.store), "shop"); err != nil {
		w.t.Fatal(err)
	}
	for _, r := range recipients {
		if _, err := storage.AddRule(storage.With(ctx, w.store), storage.CCRule{DomainID: w.domain.ID, Email: r}); err != nil {
			w.t.Fatal(err)
		}
	}
}

// serve starts the server, where it was and on what is there. Nothing limits
// what members send; who does not read is soon let go.
func (w *world) serve() {
	w.t.Helper()
	began := time.Now()
	p, _ := process.Serve(w.t, process.Development, w.env(), "-addr", w.addr, "-data", w.dir,
		"-message-rate", "0", "-messages-per-minute", "0", "-bells-per-room-hour", "0", "-bells-per-ip-hour", "0",
		"-max-connections", "0", "-max-connections-per-ip", "0", "-max-connections-per-visitor", "0",
		"-write-timeout", "1s", "-send-queue-bytes", "524288", "-log-level", "warn")
	w.server, w.console = p, p.Link(w.t, "the console")
	w.starts = append(w.starts, time.Since(began))
}

// leave looks at what a server said in its life.
func (w *world) leave() {
	if out := w.server.Output(); strings.Contains(out, "panic") {
		w.problem("the server panicked:\n%s", out)
	}
}

func (w *world) count(what string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts[what]++
}

// problem notes what no history shows.
func (w *world) problem(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problems = append(w.problems, fmt.Sprintf(format, args...))
}

// conversation is a room and who is in it.
type conversation struct {
	id, token string
	members   []*member
}

// slow is the member that will stop reading.
func (c *conversation) slow() *member {
	return c.members[slices.IndexFunc(c.members, func(m *member) bool { return m.slow })]
}

// The people of a run: each room has some tabs of its visitor, the first has a
// crowd, and an admin is in every fourth.
const (
	tabs      = 3
	crowd     = 20
	adminIn   = 4
	bellEvery = 20 // messages, on average
)

// windows are how many frames clients have in flight: the widget has one; the
// server takes some of a reader and lets the rest wait.
var windows = []int{1, 4, 2, 24}

// openRooms makes n rooms, whose members together will send so many messages,
// and bells beside them. It returns how many frames that makes.
func (w *world) openRooms(ctx context.Context, seed uint64, n, messages int) (frames int) {
	w.t.Helper()
	origin := http.Header{"Origin": {w.url}}
	admin := http.Header{"Origin": {w.url}, "Cookie": {w.signIn()}}
	for i := range n {
		c := w.newRoom(ctx)
		w.rooms = append(w.rooms, c)
		hello := map[string]any{"domain": "shop", "token": c.token, "room": c.id}
		size := tabs
		if i == 0 {
			size = crowd
		}
		for tab := range size {
			m := w.newMember(fmt.Sprintf("room %d, tab %d", i+1, tab+1), fmt.Sprintf("t%d", tab+1), origin, hello)
			m.slow = tab == size-1
			c.members = append(c.members, m)
		}
		if i%adminIn == 0 {
			c.members = append(c.members, w.newMember(fmt.Sprintf("room %d, admin", i+1), "a", admin, map[string]any{"room": c.id}))
		}
		left := messages*(i+1)/n - messages*i/n
		for j, m := range c.members {
			share := left / (len(c.members) - j)
			left -= share
			bells := share / bellEvery
			if j >= size {
				bells = 0 // admins have none
			}
			frames += share + bells
			m.window = windows[(i+j)%len(windows)]
			m.next = script(rand.New(rand.NewPCG(seed, uint64(1+len(w.members)*n+j))), m.rec.Name, share, bells)
		}
	}
	return frames
}

// script is what one member will say.
func script(rnd *rand.Rand, name string, messages, bells int) func() (typ, text string, ok bool) {
	return func() (string, string, bool) {
		if messages+bells == 0 {
			return "", "", false
		}
		if rnd.IntN(messages+bells) < bells {
			bells--
			return "contact-admin", fmt.Sprintf("bell of %s, %d to follow: %s", name, bells, words(rnd, 40)), true
		}
		messages--
		long := 60
		if rnd.IntN(50) == 0 {
			long = 3000
		}
		return "message", fmt.Sprintf("message of %s, %d to follow: %s", name, messages, words(rnd, long)), true
	}
}

// words are up to n characters of what is easily damaged on its way.
func words(rnd *rand.Rand, n int) string {
	all := []rune("abc déf <b>&amp;</b> 'x' \"y\" \\n \\u0000 100% 😀👩‍👧 漢字 مرحبا\n\t")
	out := []rune("«")
	for range rnd.IntN(n) {
		out = append(out, all[rnd.IntN(len(all))])
	}
	return string(append(out, '»'))
}

// newRoom is a new visitor's.
func (w *world) newRoom(ctx context.Context) *conversation {
	w.t.Helper()
	s, err := dial(ctx, w.url, http.Header{"Origin": {w.url}}, false)
	if err != nil {
		w.t.Fatal(err)
	}
	defer s.CloseNow()
	if err := s.Write(ctx, websocket.MessageText, []byte(`{"type":"hello","id":"hello","data":{"domain":"shop"}}`)); err != nil {
		w.t.Fatal(err)
	}
	_, b, err := s.Read(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	var f struct{ Data answer }
	if err := json.Unmarshal(b, &f); err != nil {
		w.t.Fatal(err)
	}
	welcome := f.Data
	if welcome.Room.ID == "" || welcome.Token == "" {
		w.t.Fatalf("a new visitor is welcomed with %s", b)
	}
	return &conversation{id: welcome.Room.ID, token: welcome.Token}
}

// signIn makes an admin's session and returns its cookie.
func (w *world) signIn() string {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.t.Fatal(err)
	}
	client := &http.Client{Jar: jar, Timeout: patience}
	defer client.CloseIdleConnections()
	r, err := http.NewRequest(http.MethodPost, w.console, strings.NewReader(url.Values{"name": {"Ana"}}.Encode()))
	if err != nil {
		w.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", w.url)
	resp, err := client.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	resp.Body.Close()
	var all []string
	for _, c := range jar.Cookies(r.URL) {
		all = append(all, c.Name+"="+c.Value)
	}
	cookie := strings.Join(all, "; ")
	if resp.StatusCode != http.StatusOK || cookie == "" {
		w.t.Fatalf("signing in: %d, cookie %q", resp.StatusCode, cookie)
	}
	return cookie
}

// summary is one line about the run.
func (w *world) summary() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(w.counts)) {
		fmt.Fprintf(&b, ", %s ×%d", k, w.counts[k])
	}
	slices.Sort(w.starts)
	return fmt.Sprintf("%s; %d starts, median %s, longest %s%s", time.Since(w.began).Round(time.Millisecond), len(w.starts),
		w.starts[len(w.starts)/2].Round(time.Millisecond), w.starts[len(w.starts)-1].Round(time.Millisecond), b.String())
}

// tally counts, and tells who waits for a number.
type tally struct {
	mu     sync.Mutex
	n      int
	waiter chan struct{} // closed at the next step
}

func newTally() *tally { return &tally{waiter: make(chan struct{})} }

func (c *tally) step() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n++
	close(c.waiter)
	c.waiter = make(chan struct{})
}

func (c *tally) now() (n int, grows <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n, c.waiter
}

// wait waits for the count to be n; false if it stands still for so long.
func (c *tally) wait(n int, still time.Duration) bool {
	late := time.NewTimer(still)
	defer late.Stop()
	for {
		now, grows := c.now()
		if now >= n {
			return true
		}
		select {
		case <-grows:
			late.Reset(still)
		case <-late.C:
			return false
		}
	}
}
