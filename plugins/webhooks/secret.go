package webhooks

import (
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/bellhub/bellhub/hub"
)

// newSecret makes a key that requests are signed with, of 256 random bits, as
// Standard Webhooks writes it: whsec_ and base64. It is kept readable, since it has
// to sign.
func newSecret() hub.Secret {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return hub.Secret("whsec_" + base64.StdEncoding.EncodeToString(b[:]))
}

// rotation is how long the secret before the current one signs too.
const rotation = 24 * time.Hour

// keys are the secrets of one endpoint.
type keys struct {
	Secret    hub.Secret
	OldSecret hub.Secret // the one before; empty: none
	OldUntil  *time.Time // until when that one signs
}

// rotated are the keys with a new secret. The one before signs beside it for
// [rotation]; an older one is dropped.
func (k keys) rotated() keys {
	until := hub.Now().Add(rotation)
	return keys{Secret: newSecret(), OldSecret: k.Secret, OldUntil: &until}
}

// sign puts a message's id, its time and its signatures into a request's header.
func (k keys) sign(h http.Header, id string, at time.Time, body []byte) error {
	all := []hub.Secret{k.Secret}
	if k.OldSecret != "" && k.OldUntil != nil && at.Before(*k.OldUntil) {
		all = append(all, k.OldSecret)
	}
	var signatures string
	for i, s := range all {
		key, err := standardwebhooks.NewWebhook(string(s))
		if err != nil { // quotes nothing: the cause would quote the secret
			return fmt.Errorf("webhooks: secret %d of %d is not base64", i+1, len(all))
		}
		one, err := key.Sign(id, at, body)
		if err != nil {
			return err
		}
		if i > 0 {
			signatures += " "
		}
		signatures += one
	}
	h.Set(standardwebhooks.HeaderWebhookID, id)
	h.Set(standardwebhooks.HeaderWebhookTimestamp, strconv.FormatInt(at.Unix(), 10))
	h.Set(standardwebhooks.HeaderWebhookSignature, signatures)
	return nil
}
