package config

import (
	"errors"
	"math"
	"strconv"
	"time"
)

// The errors of values name no key: the flag package puts it in front. None of
// these types is used for a secret, since that package quotes what it got: see
// hub.Secret.
var (
	errCount    = errors.New("want a whole number, 0 or more")
	errRate     = errors.New("want a number, 0 or more")
	errPositive = errors.New("want a time above 0, as in 30s or 24h")
	errFormat   = errors.New("want text or json")
)

// count is a whole number from 0.
type count int

func (c *count) String() string { return strconv.Itoa(int(*c)) }

func (c *count) Set(s string) error {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 {
		return errCount
	}
	*c = count(n)
	return nil
}

// rate is a number from 0.
type rate float64

func (r *rate) String() string { return strconv.FormatFloat(float64(*r), 'g', -1, 64) }

func (r *rate) Set(s string) error {
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(n) || math.IsInf(n, 0) || n < 0 {
		return errRate
	}
	*r = rate(n)
	return nil
}

// positive is a time above 0.
type positive time.Duration

func (p *positive) String() string { return time.Duration(*p).String() }

func (p *positive) Set(s string) error {
	d, err := time.ParseDuration(s)
	if err != nil || d <= 0 {
		return errPositive
	}
	*p = positive(d)
	return nil
}

// format is how log lines are written.
type format string

func (f *format) String() string { return string(*f) }

func (f *format) Set(s string) error {
	if s != "text" && s != "json" {
		return errFormat
	}
	*f = format(s)
	return nil
}
