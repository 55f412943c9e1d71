package hubtest

import (
	"fmt"
	"sync"
	"testing"
)

// server is the process' one private MariaDB.
var server struct {
	sync.Mutex
	running *mariadb
	users   int  // tests that have a database now
	kept    bool // [Main] stops it; else the last test to end does
	count   int  // of databases made
}

// Main runs a package's tests and then stops the server that [MariaDB] started.
// Without it the server stops whenever no test uses it, and is made anew (3 s)
// for the next one.
//
//	func TestMain(m *testing.M) { os.Exit(hubtest.Main(m)) }
func Main(m *testing.M) int {
	server.Lock()
	server.kept = true
	server.Unlock()
	code := m.Run()
	server.Lock()
	defer server.Unlock()
	stopServer()
	return code
}

// MariaDB returns the mysql:// address of a fresh, empty database on a private
// server, and drops it when t ends. The test fails where MariaDB is not
// installed.
func MariaDB(t testing.TB) string {
	t.Helper()
	server.Lock()
	defer server.Unlock()
	if server.running == nil {
		m, err := newMariaDB("--skip-log-bin")
		if err != nil {
			t.Fatalf("hubtest: a private MariaDB: %v", err)
		}
		server.running = m
	}
	server.count++
	name := fmt.Sprintf("bellhub_%d", server.count)
	// In the server's default character set: a schema must say its own.
	if err := server.running.exec("CREATE DATABASE " + name); err != nil {
		t.Fatalf("hubtest: %v", err)
	}
	server.users++
	t.Cleanup(func() {
		server.Lock()
		defer server.Unlock()
		if err := server.running.exec("DROP DATABASE " + name); err != nil {
			t.Errorf("hubtest: is a transaction still open? %v", err)
		}
		if server.users--; server.users == 0 && !server.kept {
			stopServer()
		}
	})
	return server.running.address(name)
}

// stopServer ends the server, under server's lock.
func stopServer() {
	if server.running != nil {
		server.running.stop()
		server.running = nil
	}
}

// MariaDBServer is a private server of one test, which may kill it and start it
// again. It belongs to the goroutine of its test.
type MariaDBServer struct{ m *mariadb }

// OwnMariaDB starts a server for t alone, with one empty database. It keeps a
// binary log. Without one, InnoDB lets others read a transaction that has been
// committed but not yet written down: a crash can take back what somebody was
// already shown, although not what was acknowledged.
func OwnMariaDB(t testing.TB) *MariaDBServer {
	t.Helper()
	m, err := newMariaDB("--log-bin=binlog", "--sync-binlog=1", "--server-id=1")
	if err != nil {
		t.Fatalf("hubtest: a private MariaDB: %v", err)
	}
	t.Cleanup(m.stop)
	if err := m.exec("CREATE DATABASE bellhub"); err != nil {
		t.Fatalf("hubtest: %v", err)
	}
	return &MariaDBServer{m}
}

// Address is the mysql:// address of the server's database. It stays the same.
func (s *MariaDBServer) Address() string { return s.m.address("bellhub") }

// Kill ends the server as a crash does (kill -9). Its data stay.
func (s *MariaDBServer) Kill() { s.m.kill() }

// Start starts a killed server on what it left behind, and returns once it
// answers.
func (s *MariaDBServer) Start(t testing.TB) {
	t.Helper()
	if err := s.m.start(); err != nil {
		t.Fatalf("hubtest: MariaDB does not come back: %v", err)
	}
}
