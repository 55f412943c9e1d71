// Package config reads and checks what an operator may set.
//
// Each setting is one flag, and by the same name an environment variable
// (-base-url is BELLHUB_BASE_URL) and a key of the file that -config names, one
// "key value" a line. A flag wins over the environment, that over the file, and
// that over the default.
//
// A program that starts with a setting it does not understand runs other than
// its operator believes, so nothing is ignored: an unknown key, a value that
// does not parse, half of a mail provider, or a base URL that would put links
// on plain http refuse to start, with an error that names the key and never
// holds a secret.
//
// # Commands
//
// Every subcommand takes the settings beside flags of its own. A command
// defines its own flags first; they belong to the command line alone, so that
// -key of "domain add" does not become BELLHUB_KEY. [Register] then adds the
// settings, plugins may add theirs, and [Flags.Parse] reads all of them:
//
//	fs := flag.NewFlagSet("bellhub domain add", flag.ContinueOnError)
//	key := fs.String("key", "", "the widget key")
//	settings := config.Register(fs)
//	cfg, err := settings.Parse(args) // after the positional arguments
package config
