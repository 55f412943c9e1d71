package webhooks

import (
	"context"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/bellhub/bellhub/hub"
)

// Where https may go, and where http. Row 70 of what every release is tried with.
func TestWhatMayBeDialled(t *testing.T) {
	var allow hub.Networks
	for _, s := range []string{"10.1.0.0/16, 127.0.0.1", "fd00:1::/64"} {
		if err := allow.Set(s); err != nil {
			t.Fatal(err)
		}
	}
	if s := allow.String(); s != "10.1.0.0/16,127.0.0.1/32,fd00:1::/64" {
		t.Errorf("%s", s)
	}
	for _, bad := range []string{"10.0.0.0/33", "shop.example", "fe80::1%eth0", "10.0.0.1;10.0.0.2"} {
		if err := new(hub.Networks).Set(bad); err == nil {
			t.Errorf("%s was taken", bad)
		}
	}
	g := newGuard(allow)
	for _, tt := range []struct {
		address      string
		https, plain bool
	}{
		{"93.184.216.34", true, false},
		{"2606:2800:220:1:248:1893:25c8:1946", true, false},
		{"127.0.0.1", true, true}, // allowed
		{"::ffff:127.0.0.1", true, true},
		{"10.1.2.3", true, true},
		{"fd00:1::7", true, true},
		{"127.0.0.2", false, false},
		{"::1", false, false},
		{"::", false, false},
		{"0.0.0.0", false, false},
		{"10.2.0.1", false, false},
		{"172.16.0.1", false, false},
		{"192.168.1.1", false, false},
		{"169.254.169.254", false, false}, // most clouds' metadata
		{"168.63.129.16", false, false},   // Azure's
		{"192.0.0.192", false, false},     // Oracle's
		{"100.100.100.200", false, false}, // Alibaba's, in shared space
		{"100.64.0.1", false, false},
		{"fd00:ec2::254", false, false}, // Amazon's
		{"fe80::1", false, false},
		{"fe80::1%lo", false, false},
		{"fc00::1", false, false},
		{"224.0.0.1", false, false},
		{"ff02::1", false, false},
		{"255.255.255.255", false, false},
		{"198.18.0.1", false, false},
		{"192.0.2.1", false, false},
		{"::ffff:10.2.0.1", false, false}, // IPv4-mapped
		{"::ffff:169.254.169.254", false, false},
		{"::10.2.0.1", false, false},         // IPv4-compatible
		{"64:ff9b::a9fe:a9fe", false, false}, // NAT64 of the metadata address
		{"64:ff9b:1::a02:1", false, false},   // local NAT64
		{"2002:a02:1::1", false, false},      // 6to4
		{"2001:0:a02:1::1", false, false},    // Teredo
		{"2001:db8::1", false, false},
	} {
		a := netip.AddrPortFrom(netip.MustParseAddr(tt.address), 8443).String()
		network := "tcp4"
		if netip.MustParseAddr(tt.address).Is6() {
			network = "tcp6"
		}
		if got := g.secure(network, a, nil) == nil; got != tt.https {
			t.Errorf("https to %s: %t", a, got)
		}
		if got := g.plain(network, a, nil) == nil; got != tt.plain {
			t.Errorf("http to %s: %t", a, got)
		}
	}
	for _, odd := range []string{"", "shop.example:443", "127.0.0.1"} {
		if g.secure("tcp4", odd, nil) == nil || g.plain("tcp4", odd, nil) == nil {
			t.Errorf("%q may be dialled", odd)
		}
	}
	if g.secure("udp4", "93.184.216.34:443", nil) == nil {
		t.Error("UDP may be dialled")
	}
}

// names is a DNS server in memory, whose answer may change from one question to
// the next.
func names(t *testing.T, address func(question int) string) *net.Resolver {
	var asked atomic.Int64
	return &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		go func() {
			defer server.Close()
			b := make([]byte, 1500)
			for {
				// A stream, as over TCP: two bytes of length before each message.
				if _, err := server.Read(b[:2]); err != nil {
					return
				}
				n, err := server.Read(b[:int(b[0])<<8|int(b[1])])
				if err != nil {
					return
				}
				var m dnsmessage.Message
				if err := m.Unpack(b[:n]); err != nil {
					t.Error(err)
					return
				}
				m.Response, m.Additionals = true, nil
				if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
					m.Answers = []dnsmessage.Resource{{
						Header: dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class, TTL: 0},
						Body:   &dnsmessage.AResource{A: netip.MustParseAddr(address(int(asked.Add(1)))).As4()},
					}}
				}
				out, err := m.Pack()
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := server.Write(append([]byte{byte(len(out) >> 8), byte(len(out))}, out...)); err != nil {
					return
				}
			}
		}()
		return client, nil
	}}
}

// post sends something to an address, by a sender that resolves names so.
func post(t *testing.T, to string, allow hub.Networks, r *net.Resolver) answer {
	t.Helper()
	s := newSender(allow)
	s.edge.close()
	s.edge = newTransport(s.guard, r)
	s.client.Transport = s.edge
	t.Cleanup(s.close)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	a, err := s.send(ctx, to, keys{Secret: newSecret()}, "msg_1", []byte(`{}`), 100)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// A name that leads inside is blocked when it is dialled, also where it led
// elsewhere when somebody looked before.
func TestNamesThatLeadInside(t *testing.T) {
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("somebody got inside") }))
	defer inside.Close()
	_, port, _ := net.SplitHostPort(inside.Listener.Addr().String())
	elsewhere := hub.Networks{netip.MustParsePrefix("127.0.0.9/32")}
	for _, tt := range []struct {
		name, url string
		address   func(int) string
	}{
		{"a private name", "https://inside.example:" + port, func(int) string { return "127.0.0.1" }},
		{"a private name, plain", "http://inside.example:" + port, func(int) string { return "127.0.0.1" }},
		{"metadata", "https://metadata.example", func(int) string { return "169.254.169.254" }},
		{"rebinding", "http://rebinding.example:" + port, func(n int) string {
			if n == 1 {
				return "127.0.0.9"
			}
			return "127.0.0.1"
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := names(t, tt.address)
			if tt.name == "rebinding" { // somebody checks the name, and it looks harmless
				if all, err := r.LookupHost(t.Context(), "rebinding.example"); err != nil || all[0] != "127.0.0.9" {
					t.Fatal(all, err)
				}
			}
			if a := post(t, tt.url, elsewhere, r); a.Outcome != outcomeBlocked || a.Status != 0 || a.Detail != "" {
				t.Errorf("%+v", a)
			}
		})
	}
	// The guard stands on what is dialled: the same name is reached where that is
	// allowed.
	allowed := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer allowed.Close()
	_, port, _ = net.SplitHostPort(allowed.Listener.Addr().String())
	r := names(t, func(int) string { return "127.0.0.1" })
	if a := post(t, "http://inside.example:"+port, hub.Networks{netip.MustParsePrefix("127.0.0.0/8")}, r); a.Outcome != outcomeDelivered {
		t.Errorf("%+v", a)
	}
}

func TestARedirectLeadsNowhere(t *testing.T) {
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("somebody got inside") }))
	defer inside.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		outside := httptest.NewServer(http.RedirectHandler(inside.URL, status))
		if a := post(t, outside.URL, hub.Networks{netip.MustParsePrefix("127.0.0.1/32")}, nil); a.Outcome != outcomeRedirect || a.Status != status {
			t.Errorf("%+v", a)
		}
		outside.Close()
	}
}

func TestTheEnvironmentsProxyIsNotUsed(t *testing.T) {
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the proxy was used") }))
	defer proxy.Close()
	t.Setenv("HTTP_PROXY", proxy.URL)
	t.Setenv("HTTPS_PROXY", proxy.URL)
	r := names(t, func(int) string { return "10.0.0.1" })
	for _, to := range []string{"http://shop.example/", "https://shop.example/"} {
		if a := post(t, to, nil, r); a.Outcome != outcomeBlocked {
			t.Errorf("%+v", a)
		}
	}
	s := newSender(nil)
	if s.edge.http.Proxy != nil || s.edge.https.Proxy != nil {
		t.Error("there is a proxy")
	}
}

// Why nothing arrived is told without saying where it was to go.
func TestWhyNothingArrived(t *testing.T) {
	local := hub.Networks{netip.MustParsePrefix("127.0.0.1/32")}
	hang := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	defer slow.Close()
	defer close(hang)
	unknown := httptest.NewUnstartedServer(http.NotFoundHandler())
	unknown.Config.ErrorLog = log.New(io.Discard, "", 0)
	unknown.StartTLS()
	defer unknown.Close()
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	cut := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) }))
	defer cut.Close()
	nobody := &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) { return nil, errors.New("no DNS at 10.0.0.53") }}
	for _, tt := range []struct {
		name, url       string
		outcome, detail string
	}{
		{"an unknown authority", unknown.URL, outcomeTLS, "the certificate is signed by an unknown authority"},
		{"no TLS", "https" + plain.URL[len("http"):], outcomeTLS, "the answer is not TLS"},
		{"it hangs up", cut.URL, outcomeNetwork, ""},
		{"no such name", "https://nowhere.example", outcomeName, ""},
		{"it hangs", slow.URL, outcomeTimeout, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSender(local)
			s.edge = newTransport(s.guard, nobody)
			s.client.Transport = s.edge
			defer s.close()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			a, err := s.send(ctx, tt.url, keys{Secret: newSecret()}, "msg_1", []byte(`{}`), 0)
			if err != nil || a.Outcome != tt.outcome || a.Detail != tt.detail || a.Status != 0 {
				t.Errorf("%+v, %v", a, err)
			}
		})
	}
	if _, err := newSender(nil).send(t.Context(), "https://shop.example/", keys{Secret: hub.Secret("whsec_%%secret%%")}, "msg_1", nil, 0); err == nil || errors.Is(err, context.Canceled) {
		t.Errorf("signed with a broken secret: %v", err)
	}
}
