package hubtest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
)

// mariadbStart bounds the wait for a server that was just started; 0.6 s is
// usual, a crowded machine takes longer.
const mariadbStart = time.Minute

// mariadb is a server in a temporary directory, known only to this process: it
// listens on loopback, behind a random password.
type mariadb struct {
	dir      string
	addr     string
	password string
	command  []string // of the daemon

	pipe  io.WriteCloser // the supervisor's standard input
	ended chan struct{}  // the supervisor has; nil before the first start
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

// newMariaDB makes a server with no databases and starts it. options are the
// daemon's, beside those that every server here has.
func newMariaDB(options ...string) (*mariadb, error) {
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
	m := &mariadb{dir: dir, password: rand.Text()}
	if err = m.install(daemon, install, options); err == nil {
		err = m.start()
	}
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	return m, nil
}

// install makes the server's directory and decides how it is run.
func (m *mariadb) install(daemon, install string, options []string) (err error) {
	if m.addr, err = freeAddr(); err != nil {
		return err
	}
	_, port, _ := net.SplitHostPort(m.addr)
	// Temporary tables too: servers that other packages' tests make at the same
	// time take the same names for theirs.
	temp := filepath.Join(m.dir, "tmp")
	if err := os.Mkdir(temp, 0o700); err != nil {
		return err
	}
	common := []string{"--no-defaults", "--datadir=" + filepath.Join(m.dir, "data"), "--tmpdir=" + temp}
	if os.Geteuid() == 0 {
		common = append(common, "--user=root") // which it otherwise refuses to run as
	}
	made, err := exec.Command(install, append(common, "--skip-test-db", "--auth-root-authentication-method=normal")...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", install, err, made)
	}
	users := filepath.Join(m.dir, "users.sql")
	grant := fmt.Sprintf("GRANT ALL ON *.* TO bellhub@'%%' IDENTIFIED BY '%s';\n", m.password)
	m.command = append([]string{daemon}, common...)
	m.command = append(m.command, "--bind-address=127.0.0.1", "--port="+port, "--socket="+filepath.Join(m.dir, "socket"),
		"--pid-file="+filepath.Join(m.dir, "pid"), "--init-file="+users, "--skip-name-resolve",
		// As durable as in production: tests that count on it must be able to fail.
		"--innodb-flush-log-at-trx-commit=1")
	m.command = append(m.command, options...)
	return os.WriteFile(users, []byte(grant), 0o600)
}

// supervise runs a server until there is a line on its standard input, which
// kills the server, or until that closes, which also happens when the test
// process panics or is killed. Then the directory goes with the server: nobody
// will ask for its data.
const supervise = `
dir=$1; shift
rm -f -- "$dir/kept"
exec 3<&0
"$@" 3<&- & pid=$!
{ read -r _ <&3 && : >"$dir/kept"; kill -9 $pid; } 2>/dev/null & reader=$!
wait $pid; status=$?
kill $reader 2>/dev/null
[ -e "$dir/kept" ] || rm -rf -- "$dir"
exit $status
`

// start runs the server and returns once it answers.
func (m *mariadb) start() error {
	output, err := os.Create(filepath.Join(m.dir, "log"))
	if err != nil {
		return err
	}
	defer output.Close()
	cmd := exec.Command("/bin/sh", append([]string{"-c", supervise, "sh", m.dir}, m.command...)...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt at the terminal is not for the supervisor
	if m.pipe, err = cmd.StdinPipe(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = cmd.Wait() }()
	m.ended = ended
	if err := m.await(); err != nil {
		said, _ := os.ReadFile(output.Name())
		m.stop()
		return fmt.Errorf("%w\n%s", err, said)
	}
	return nil
}

// kill ends the server at once, and leaves its directory for another start.
func (m *mariadb) kill() {
	_, _ = io.WriteString(m.pipe, "kill\n")
	<-m.ended
}

// stop ends the server and removes what it kept.
func (m *mariadb) stop() {
	_ = m.pipe.Close()
	<-m.ended
	_ = os.RemoveAll(m.dir) // of one that was killed before
}

// await returns once the server answers.
func (m *mariadb) await() error {
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
		case <-m.ended:
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

// FreeAddr is a loopback address that nobody listens on, for a server that will
// go away and come back there.
func FreeAddr(t testing.TB) string {
	t.Helper()
	addr, err := freeAddr()
	if err != nil {
		t.Fatalf("hubtest: %v", err)
	}
	return addr
}

// freeAddr finds a loopback port that nobody listens on. It lies below the
// ports that systems give to outgoing connections (from 32768 on Linux, from
// 49152 elsewhere): while its server is down, one who dials it in vain could
// otherwise be given that very port, be connected to itself, and keep the
// server from coming back.
func freeAddr() (string, error) {
	const low, high, tries = 20_000, 32_000, 100
	for range tries {
		addr := net.JoinHostPort("127.0.0.1", strconv.Itoa(low+mathrand.IntN(high-low)))
		if l, err := net.Listen("tcp", addr); err == nil {
			return addr, l.Close()
		}
	}
	return "", fmt.Errorf("no port from %d to %d is free", low, high)
}
