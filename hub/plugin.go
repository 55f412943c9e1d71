package hub

import (
	"context"
	"flag"
	"fmt"
	"io/fs"
	"strings"
)

// Plugin is a feature. Its id names its settings, tables, routes, words, logs
// and metrics: lower-case letters, digits and hyphens, at most [MaxPluginID].
//
// What more a plugin can do is said by further methods, each found once at
// start by a type assertion. Those that need no other package's types are here:
// [Configurable], [Validator], [Worded], [Runner], [Closer], [Pager],
// [Paneler], [Scripter], [Greeter] and [Alerter]. Three more carry another
// package's types and are satisfied all the same:
//
//	Migrations() []storage.Migration // its tables: <id>_…, by migrations <id>/0001 and on
//	Mount(fiber.Router)              // its routes: the router is /plugins/<id>
//	MountRoot(fiber.Router)          // routes whose paths the product has promised: the router is the root
//
// At start the steps are: Flags, Validate of each, migrations, Init of each in
// list order, Mount, Run, then the listener opens. At stop: nobody is let in any
// more, and /readyz says so; those who are in are seen off; the listener closes;
// Runners end; then Close in reverse order. Where a step fails, what had begun is
// ended in this order, and the program says which plugin it was.
type Plugin interface {
	ID() string
	// Init binds hooks and frames, and starts nothing. ctx is the program's: it
	// carries the storage handle. A plugin may be initialised once only, but two
	// of its kind may live in one process, in two hubs.
	Init(ctx context.Context, h *Host) error
}

// MaxPluginID bounds the bytes of a plugin's id, so that the names made of it
// fit everywhere.
const MaxPluginID = 24

// CheckID tells what is wrong with a plugin's id; nil is nothing.
func CheckID(id string) error {
	ok := id != "" && len(id) <= MaxPluginID && id[0] >= 'a' && id[0] <= 'z' && id[len(id)-1] != '-'
	for i := range len(id) {
		c := id[i]
		ok = ok && (c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '-')
	}
	if !ok {
		return fmt.Errorf("hub: %q is no plugin's id: want up to %d lower-case letters, digits and hyphens, a letter first", id, MaxPluginID)
	}
	return nil
}

// Configurable has settings of its own, for the operator. The names of its flags
// begin with its id, as in "webhooks-allow"; each is an environment variable and
// a key of the configuration file, too, and whatever else is found there refuses
// to start. A secret is a [Secret]. The values are there when Validate is
// called. What the owner of a domain sets belongs on a [Page] instead.
type Configurable interface{ Flags(fs *flag.FlagSet) }

// Validator checks a plugin's options before anything is opened. The error
// names the option.
type Validator interface{ Validate() error }

// Worded brings the words that people read, by language and key. The keys begin
// with the plugin's id and a dot; [Host.Text] finds them.
type Worded interface{ Texts() Texts }

// Runner works in the background until ctx ends. One that returns an error or
// panics is started again after a pause; nil means that it has no more to do.
type Runner interface {
	Run(ctx context.Context) error
}

// Closer gives back what Init took. It is also called where a later plugin's
// Init failed, and where the plugin's own did.
type Closer interface {
	Close(ctx context.Context) error
}

// Scripter adds a small script to the widget: the file widget.js, an ES module,
// which may import others of the same file system. The widget fetches it once
// the visitor has opened the chat and been let in, and calls its default export
// with the element, whose events and methods the package static describes.
type Scripter interface{ Script() fs.FS }

// Greeter says what to open, when the program has started in development.
type Greeter interface {
	Greet(ctx context.Context) ([]Greeting, error)
}

// Greeting is an address to open, and what is there in a word or two.
type Greeting struct{ What, URL string }

// Alerter alerts people of a bell by itself, as mail does. Where no plugin can,
// the console says so on every page.
type Alerter interface {
	// CanAlert is valid after Init.
	CanAlert() bool
}

// owned checks that the names of what a plugin brings begin with its id.
func owned(plugin, what, separator string, names ...string) error {
	for _, name := range names {
		if !strings.HasPrefix(name, plugin+separator) {
			return fmt.Errorf("the %s %q does not begin with %q", what, name, plugin+separator)
		}
	}
	return nil
}
