//! The program's own sandbox, as a process of its own.

use std::io::{BufRead, BufReader};
use std::process::Child;

use super::program::{Program, program};

/// A running sandbox; ended when dropped.
pub struct Sandboxed {
    child: Child,
    /// The settings that reach it.
    pub config: String,
    _program: Program,
}

impl Sandboxed {
    /// Starts `sandbox` with these arguments and waits until it serves.
    pub fn start(arguments: &str) -> Sandboxed {
        let program = program();
        let mut child = program.start(&format!("sandbox {arguments}"));
        let mut config = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut config).unwrap();
        Sandboxed { child, config, _program: program }
    }
}

impl Drop for Sandboxed {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
