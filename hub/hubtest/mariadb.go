package hubtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// mariadbStart bounds the wait for a server that was just started; 0.6 s is
// usual, a crowded machine takes longer.
const mariadbStart = time.Minute

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
		m, err := startMariaDB()
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

// mariadb is a server in a temporary directory, known only to this process: it
// listens on loopback, behind a random password.
type mariadb struct {
	addr     string
	password string
	stop     func()
}

func (m *mariadb) address(name string) string {
	return "mysql://bellhub:" + m.password + "@" + m.addr + "/" + name
}

// exec runs one statement over a connection of its own, so that nothing of the
// kit stays open between tests.
func (m *mariadb) exec(statement string) error {
	cfg := mysql.NewConfig()
	cfg.User, cfg.Passwd, cfg.Net, cfg.Addr = "bellhub", m.password, "tcp", m.addr
	cfg.Params = map[string]string{"lock_wait_timeout": "10"}
	cfg.Logger = &mysql.NopLogger{}
	connector, err := mysql.NewConnector(cfg)
	if err != nil {
		return err
	}
	db := sql.OpenDB(connector)
	defer db.Close()
	ctx, cancel := context.WithTimeout(context.Background(), mariadbStart)
	defer cancel()
	_, err = db.ExecContext(ctx, statement)
	return err
}

// supervise runs a server until the pipe on its standard input closes, which
// also happens when the test process panics or is killed. Then the server ends
// at once (its data are worth nothing) and its directory goes with it.
const supervise = `
dir=$1; shift
exec 3<&0
"$@" 3<&- & pid=$!
{ read -r _ <&3; kill -9 $pid; } 2>/dev/null & reader=$!
wait $pid; status=$?
kill $reader 2>/dev/null
rm -rf -- "$dir"
exit $status
`

func startMariaDB() (*mariadb, error) {
	daemon, err := lookup("mariadbd")
	if err != nil {
		return nil, err
	}
	install, err := lookup("mariadb-install-db")
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "bellhub-mariadb-")
	if err != nil {
		return nil, err
	}
	m, err := startIn(dir, daemon, install)
	if err != nil {
		_ = os.RemoveAll(dir)
	}
	return m, err
}

func startIn(dir, daemon, install string) (*mariadb, error) {
	// Temporary tables too: servers that other packages' tests make at the same
	// time take the same names for theirs.
	temp := filepath.Join(dir, "tmp")
	if err := os.Mkdir(temp, 0o700); err != nil {
		return nil, err
	}
	common := []string{"--no-defaults", "--datadir=" + filepath.Join(dir, "data"), "--tmpdir=" + temp}
	if os.Geteuid() == 0 {
		common = append(common, "--user=root") // which it otherwise refuses to run as
	}
	made, err := exec.Command(install, append(common, "--skip-test-db", "--auth-root-authentication-method=normal")...).CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", install, err, made)
	}

	m := &mariadb{password: rand.Text()}
	if m.addr, err = freeAddr(); err != nil {
		return nil, err
	}
	_, port, _ := net.SplitHostPort(m.addr)
	users := filepath.Join(dir, "users.sql")
	grant := fmt.Sprintf("GRANT ALL ON *.* TO bellhub@'%%' IDENTIFIED BY '%s';\n", m.password)
	if err := os.WriteFile(users, []byte(grant), 0o600); err != nil {
		return nil, err
	}
	output, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer output.Close()

	args := append([]string{"-c", supervise, "sh", dir, daemon}, common...)
	args = append(args, "--bind-address=127.0.0.1", "--port="+port, "--socket="+filepath.Join(dir, "socket"),
		"--pid-file="+filepath.Join(dir, "pid"), "--init-file="+users, "--skip-name-resolve", "--skip-log-bin",
		// As durable as in production: tests that count on it must be able to fail.
		"--innodb-flush-log-at-trx-commit=1")
	cmd := exec.Command("/bin/sh", args...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt at the terminal is not for the supervisor
	pipe, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	m.stop = func() { _ = pipe.Close(); <-ended }

	if err := m.await(ended); err != nil {
		said, _ := os.ReadFile(output.Name())
		m.stop()
		return nil, fmt.Errorf("%w\n%s", err, said)
	}
	return m, nil
}

// await returns once the server answers.
func (m *mariadb) await(ended <-chan struct{}) error {
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	deadline := time.NewTimer(mariadbStart)
	defer deadline.Stop()
	for {
		err := m.exec("DO 1")
		var refused *mysql.MySQLError
		if err == nil || errors.As(err, &refused) {
			return err
		}
		select {
		case <-poll.C:
		case <-ended:
			return errors.New("mariadbd ended at once")
		case <-deadline.C:
			return fmt.Errorf("mariadbd does not answer: %w", err)
		}
	}
}

// lookup finds a program, also where Debian puts daemons.
func lookup(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin", "/usr/libexec"} {
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed: on Debian or Ubuntu, apt-get install mariadb-server; on macOS, brew install mariadb", name)
}

// freeAddr finds a loopback port that nobody listens on.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return strings.Clone(l.Addr().String()), nil
}
