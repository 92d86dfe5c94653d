//! A terminal for the program's stderr or stdout, and what it was sent.

use std::fs::File;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::process::Stdio;
use std::sync::mpsc::{Receiver, channel};

use rustix::termios::{LocalModes, OptionalActions, Winsize, tcgetattr, tcsetattr, tcsetwinsize};

/// A terminal of 100 columns, which takes whatever it is sent.
pub struct Terminal {
    program: OwnedFd,
    sent: Receiver<String>,
}

impl Terminal {
    pub fn open() -> Terminal {
        use rustix::fs::{Mode, OFlags};
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let own = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&own).unwrap();
        unlockpt(&own).unwrap();
        let name = ptsname(&own, Vec::new()).unwrap();
        let program =
            rustix::fs::open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        tcsetwinsize(&program, Winsize { ws_row: 30, ws_col: 100, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
        let (tell, sent) = channel();
        std::thread::spawn(move || {
            let (mut bytes, mut own) = (Vec::new(), File::from(own));
            // Ends in an error when nobody has the other side open any more.
            let _ = own.read_to_end(&mut bytes);
            tell.send(String::from_utf8(bytes).unwrap())
        });
        Terminal { program, sent }
    }

    /// A terminal that a pager has taken over, to read it key by key.
    pub fn with_a_pager() -> Terminal {
        let terminal = Terminal::open();
        let mut modes = tcgetattr(&terminal.program).unwrap();
        modes.local_modes -= LocalModes::ICANON | LocalModes::ECHO;
        tcsetattr(&terminal.program, OptionalActions::Now, &modes).unwrap();
        terminal
    }

    /// The terminal, for a program to write to.
    pub fn side(&self) -> Stdio {
        self.program.try_clone().unwrap().into()
    }

    /// What it has shown, once no program has it open any more.
    pub fn seen(self) -> Seen {
        drop(self.program);
        let sent = self.sent.recv().unwrap();
        Seen { screen: screen(&sent), sent }
    }
}

/// What a terminal has shown.
pub struct Seen {
    /// At the end.
    pub screen: String,
    /// At any time, with escape sequences.
    pub sent: String,
}

/// The lines that stand there after all that: carriage returns, moves upward and cleared lines are obeyed, colors are not.
fn screen(sent: &str) -> String {
    let (mut lines, mut row, mut column) = (vec![Vec::new()], 0_usize, 0);
    let mut rest = sent.chars();
    while let Some(next) = rest.next() {
        match next {
            '\u{1b}' => {
                let mut sequence = String::new();
                while !sequence.ends_with(|c: char| c.is_ascii_alphabetic()) {
                    sequence.push(rest.next().expect("an escape sequence ends"));
                }
                let count = sequence.trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap_or(1);
                match sequence.pop() {
                    Some('A') => row = row.saturating_sub(count),
                    Some('K') => lines[row].clear(),
                    _ => {}
                }
            }
            '\r' => column = 0,
            '\n' => {
                row += 1;
                lines.resize(lines.len().max(row + 1), Vec::new());
            }
            next => {
                let length = lines[row].len().max(column + 1);
                lines[row].resize(length, ' ');
                lines[row][column] = next;
                column += 1;
            }
        }
    }
    let lines = lines.iter().map(|line: &Vec<char>| line.iter().collect::<String>().trim_end().to_string());
    lines.collect::<Vec<_>>().join("\n")
}
