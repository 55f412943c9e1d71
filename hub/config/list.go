package config

// List makes a flag that may be given more than once, for [flag.FlagSet.Func]:
// each value is parsed and added to to.
func List(to *[]string, parse func(string) (string, error)) func(string) error {
	return func(v string) error {
		v, err := parse(v)
		*to = append(*to, v)
		return err
	}
}
