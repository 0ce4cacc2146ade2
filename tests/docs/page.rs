//! The console blocks of a Markdown document.

/// What lies between two headings.
pub(super) struct Section {
    /// The text of the heading.
    pub(super) title: String,
    /// The commands in the order in which they are shown.
    pub(super) commands: Vec<Command>,
}

/// A command and what it prints.
pub(super) struct Command {
    /// Where it stands, counted from 1.
    pub(super) line: usize,
    /// What stands before the prompt: the name of the terminal.
    pub(super) terminal: String,
    /// What is typed.
    pub(super) text: String,
    /// What is printed.
    pub(super) output: Vec<String>,
    /// Whether all numbers in the output may differ.
    pub(super) loose: bool,
}

/// The sections that have commands.
pub(super) fn sections(text: &str) -> Vec<Section> {
    let mut sections = vec![Section::new("")];
    let (mut in_block, mut shown, mut loose) = (false, false, false);
    for (number, line) in text.lines().enumerate() {
        match line {
            "```" if in_block => (in_block, shown, loose) = (false, false, false),
            fence if fence.starts_with("```") => (in_block, shown) = (true, fence == "```console"),
            "<!-- numbers vary -->" => loose = true,
            heading if heading.starts_with('#') && !in_block => {
                sections.push(Section::new(heading.trim_start_matches(['#', ' '])));
            }
            line if shown => {
                let section = sections.last_mut().expect("the first at least");
                section.take(line, number + 1, loose);
            }
            _ => {}
        }
    }
    sections.retain(|section| !section.commands.is_empty());
    sections
}

impl Section {
    /// One without commands.
    fn new(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            commands: vec![],
        }
    }

    /// A line of a block: a command, or what the last one prints.
    fn take(&mut self, line: &str, number: usize, loose: bool) {
        if let Some((terminal, text)) = prompt(line) {
            self.commands.push(Command {
                line: number,
                terminal: terminal.to_owned(),
                text: text.to_owned(),
                output: vec![],
                loose,
            });
            return;
        }
        let command = self.commands.last_mut().expect("a command before output");
        if command.text.ends_with('\\') {
            command.text.push('\n');
            command.text.push_str(line);
        } else {
            command.output.push(line.to_owned());
        }
    }
}

/// The name of the terminal and what is typed, if the line is a prompt with a command.
fn prompt(line: &str) -> Option<(&str, &str)> {
    let (terminal, text) = line.split_once("$ ")?;
    let named = terminal.bytes().all(|byte| byte.is_ascii_lowercase());
    named.then_some((terminal, text))
}
