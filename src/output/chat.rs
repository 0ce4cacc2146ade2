//! What people in a chat are shown, and how a line is marked with who said it.

use nettool::interfaces::readable;
use nettool::net::Address;
use nettool::serve::Wording;

use super::escaped;

/// The wording of a chat.
#[derive(Debug)]
pub(crate) struct ChatWords;

impl Wording for ChatWords {
    fn welcome(&self, number: u64, others: &[u64]) -> String {
        let others: Vec<String> = others.iter().map(|other| user(*other)).collect();
        let here = match others.as_slice() {
            [] => "nobody else is here".to_owned(),
            others => format!("here: {}", others.join(", ")),
        };
        format!("* you are {}; {here}\n", user(number))
    }

    fn came(&self, number: u64, from: &Address) -> String {
        match from {
            Address::Unix(None) => format!("* {} has come\n", user(number)),
            from => {
                let from = from.to_string();
                format!("* {} has come from {}\n", user(number), escaped(&from))
            }
        }
    }

    fn said(&self, number: u64, line: &[u8]) -> String {
        format!("{}: {}\n", user(number), escaped(&readable(line)))
    }

    fn left(&self, number: u64) -> String {
        format!("* {} has left\n", user(number))
    }
}

/// Somebody's name.
fn user(number: u64) -> String {
    format!("user{number}")
}

/// What stands before a line of a client.
pub(crate) fn tag(number: u64, from: &Address) -> String {
    match from {
        Address::Unix(None) => format!("client {number}: "),
        from => format!("{}: ", escaped(&from.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_commands_the_terminals_of_others() {
        let line = ChatWords.said(3, b"\x1b[2J\xff\tx\x07");
        assert_eq!(line, "user3: \\u{1b}[2J\\xff\\tx\\u{7}\n");
    }

    #[test]
    fn who_comes_learns_who_is_there() {
        assert_eq!(
            ChatWords.welcome(1, &[]),
            "* you are user1; nobody else is here\n"
        );
        assert_eq!(
            ChatWords.welcome(3, &[1, 2]),
            "* you are user3; here: user1, user2\n"
        );
    }
}
