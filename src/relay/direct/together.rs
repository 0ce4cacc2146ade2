//! Both directions on one thread, as long as all messages are short: an answer then comes and goes
//! without a change of threads, which costs a fifth of the round trips a second.

use super::down::Down;
use super::up::Up;

/// Passes short messages both ways, until there is more to do than that: much to move, an end, a
/// failure, somebody who has to be waited for, or an order. Nothing of it is lost: each direction
/// holds what it could not pass on.
pub(super) fn pass(up: &mut Up, down: &mut Down) {
    while up.may_be_short() && down.may_be_short() {
        let Some((input, came)) = down.wait_for_short(up.waker()) else {
            return;
        };
        if input && !up.pass_short() || came && !down.pass_short() {
            return;
        }
    }
}
