package hub

import (
	"errors"
	"fmt"
	"math"
	"time"
)

// Code is a reason that a client can act on: the words of the protocol's error
// frames.
type Code string

// The codes of error frames.
const (
	CodeBadJSON     Code = "bad_json"
	CodeTooDeep     Code = "too_deep"
	CodeUnknownType Code = "unknown_type"
	CodeBadField    Code = "bad_field"
	CodeBadText     Code = "bad_text"
	CodeBadReason   Code = "bad_reason"
	CodeMismatch    Code = "idempotency_mismatch"
	CodeForbidden   Code = "forbidden"
	CodeNotFound    Code = "not_found"
	CodeGone        Code = "gone"
	CodeRateLimited Code = "rate_limited"
	CodeVetoed      Code = "vetoed"
	CodeHeld        Code = "held"
	CodeStaleEpoch  Code = "stale_epoch"
	CodeNoResponder Code = "no_responder"
	CodeResync      Code = "resync"
	CodeUnavailable Code = "unavailable"
	CodeInternal    Code = "internal"
)

// codes are all of them.
var codes = []Code{
	CodeBadJSON, CodeTooDeep, CodeUnknownType, CodeBadField, CodeBadText, CodeBadReason, CodeMismatch, CodeForbidden, CodeNotFound,
	CodeGone, CodeRateLimited, CodeVetoed, CodeHeld, CodeStaleEpoch, CodeNoResponder, CodeResync, CodeUnavailable, CodeInternal,
}

// Error is an error made for its reader: Message is shown as it is, so it names
// nothing of the inside. Whatever is not an Error reaches a client as
// [CodeInternal] with a fixed text.
type Error struct {
	Code       Code
	Message    string
	RetryAfter time.Duration // with CodeRateLimited
	cause      error
}

// Errors that stores and plugins return as they are.
var (
	ErrNotFound    = &Error{Code: CodeNotFound, Message: "There is no such conversation."}
	ErrGone        = &Error{Code: CodeGone, Message: "This conversation has ended."}
	ErrForbidden   = &Error{Code: CodeForbidden, Message: "You may not do this."}
	ErrMismatch    = &Error{Code: CodeMismatch, Message: "This id was used for something else."}
	ErrStaleEpoch  = &Error{Code: CodeStaleEpoch, Message: "The conversation has changed hands."}
	ErrResync      = &Error{Code: CodeResync, Message: "Please load the conversation again."}
	ErrUnavailable = &Error{Code: CodeUnavailable, Message: "Not stored. Please try again."}

	// ErrExpired is a visitor's token that is unknown or was idle too long: the
	// connection ends with CloseUnknown and the client starts anew.
	ErrExpired = errors.New("hub: the visitor's token is not valid")

	// ErrMoot is how an Append's Within gives up an event that would say nothing
	// new. It is no fault, and counted apart.
	ErrMoot = errors.New("hub: the event is moot")
)

// Errorf makes an Error; its text is formatted as by fmt.Sprintf.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Wrap makes an Error that a client sees as code and message, and the log as
// cause.
func Wrap(cause error, code Code, message string) *Error {
	return &Error{Code: code, Message: message, cause: cause}
}

// Unavailable returns a store's error as clients and breakers should see it: what
// is an answer, an Error or ErrExpired, as it is, and anything else as
// CodeUnavailable with err as its cause. A plugin whose hook asks the database
// itself passes its errors through here: the hook then refuses for as long as
// the database is away, and does not count as broken.
func Unavailable(err error) error {
	var answer *Error
	if err == nil || errors.Is(err, ErrExpired) || errors.As(err, &answer) {
		return err
	}
	return Wrap(err, CodeUnavailable, ErrUnavailable.Message)
}

// Veto is how a Before hook refuses: message is shown to the visitor. An empty
// code is [CodeVetoed].
func Veto(code Code, message string) error {
	if code == "" {
		code = CodeVetoed
	}
	return &Error{Code: code, Message: message}
}

func (e *Error) Error() string {
	if e.cause != nil {
		return fmt.Sprintf("%s: %s: %v", e.Code, e.Message, e.cause)
	}
	return fmt.Sprintf("%s: %s", e.Code, e.Message)
}

// Unwrap returns the cause, or nil.
func (e *Error) Unwrap() error { return e.cause }

// Is makes errors.Is compare by code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code
}

// Retryable tells whether the same frame, with the same id, may succeed later.
func (e *Error) Retryable() bool {
	switch e.Code {
	case CodeRateLimited, CodeUnavailable, CodeInternal:
		return true
	}
	return false
}

// retrySeconds is RetryAfter in whole seconds, rounded up.
func (e *Error) retrySeconds() int { return int(math.Ceil(e.RetryAfter.Seconds())) }

// public returns the Error that a client may see of err.
func public(err error) *Error {
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	return &Error{Code: CodeInternal, Message: "Something went wrong. Please try again.", cause: err}
}
