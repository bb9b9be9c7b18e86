// Package outcome says what can become of a call that a driver makes.
package outcome

// Outcome is what became of a call.
type Outcome int

// The outcomes of a call. Except after Accepted and Unanswered the call certainly had no effect.
const (
	Accepted   Outcome = iota // The server has taken it.
	Refused                   // The server has not, and says that the call is at fault.
	Busy                      // The server has not, and the same call may succeed later.
	Invalid                   // It could not be encoded, for instance because a required field is missing.
	Unsent                    // Its subscription had ended before it could be sent.
	Unanswered                // It was sent, and nobody can know.
)

// String is the outcome as a word.
func (o Outcome) String() string {
	switch o {
	case Accepted:
		return "accepted"
	case Refused:
		return "refused"
	case Busy:
		return "busy"
	case Invalid:
		return "invalid"
	case Unsent:
		return "unsent"
	case Unanswered:
		return "unanswered"
	}
	return "outcome?"
}
