package hub

import (
	"context"
	"html/template"
	"net/url"
)

// Plugin is a feature. Its id names its tables, routes, settings, logs and
// metrics: lower-case letters, digits and hyphens.
//
// What more a plugin can do is said by further methods, each found once at
// start by a type assertion: [Validator], [Runner], [Closer] and [Pager] here,
// and two that carry another package's types and are satisfied all the same:
//
//	Migrations() []storage.Migration // its tables
//	Mount(fiber.Router)              // its routes: under /plugins/<id>, or at the root where it owns fixed paths
//
// At start the steps are: constructors, Validate of each, migrations, Init of
// each in list order, Mount, Run, then the listener opens. At stop: listener,
// sessions, Runners, then Close in reverse order.
type Plugin interface {
	ID() string
	// Init binds hooks and frames, and starts nothing. ctx is the program's: it
	// carries the storage handle.
	Init(ctx context.Context, h *Host) error
}

// Validator checks a plugin's options before anything is opened. The error
// names the option.
type Validator interface{ Validate() error }

// Runner works in the background until ctx ends. One that returns an error or
// panics is started again after a pause; nil means that it has no more to do.
type Runner interface {
	Run(ctx context.Context) error
}

// Closer gives back what Init took. It is also called where a later plugin's
// Init failed.
type Closer interface {
	Close(ctx context.Context) error
}

// Pager offers pages for the console, which frames them.
type Pager interface{ Pages() []Page }

// Page is a page of a domain in the console, at
// /console/domains/<domain>/<Slug>. The console has checked that its reader may
// see the domain.
type Page struct {
	Slug  string
	Title string // a key of the texts
	// Render makes the page's content. A POST comes here too, with its form;
	// it answers with a Redirect, or with the page and what was wrong.
	Render func(ctx context.Context, r PageRequest) (PageContent, error)
}

// PageRequest is what a page is asked for.
type PageRequest struct {
	Domain string     // the domain's id
	Path   string     // where the page is, to build links and forms
	Post   bool       // a form was sent
	Form   url.Values // the query, or the form of a POST
	Lang   string     // the reader's language, for Host.Text
}

// PageContent is what a page shows, or where it sends its reader.
type PageContent struct {
	HTML     template.HTML
	Redirect string // a path, after a POST that worked
}
