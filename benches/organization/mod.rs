//! A simulated organization's answers, fetched once from the sandbox and kept, so that what is measured later does not
//! pay for making them up.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use percent_encoding::utf8_percent_encode;
use source_devin_ai::devin::page::RESERVED;
use source_devin_ai::devin::{Page, Trail};
use source_devin_ai::sandbox::{ORG_ID, Options, Sandbox, TOKEN};

/// A sandbox on a thread of its own, which ends with the process, and a connection to it.
pub struct Organization {
    connection: BufReader<TcpStream>,
}

impl Organization {
    /// Starts an organization with so many sessions. `messages` is the number in each; `None` lets it vary.
    pub fn start(sessions: usize, messages: Option<usize>) -> Result<Organization> {
        let options = Options { sessions, messages, ..Options::default() };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (tell, told) = mpsc::channel();
        thread::spawn(move || {
            runtime.block_on(async {
                let sandbox = Sandbox::start(options).await.expect("loopback has a free port");
                tell.send(sandbox.port()).expect("the starter waits for the port");
                sandbox.run_until_stopped().await;
            });
        });
        let connection = TcpStream::connect((Ipv4Addr::LOCALHOST, told.recv()?))?;
        connection.set_nodelay(true)?;
        Ok(Organization { connection: BufReader::with_capacity(1 << 16, connection) })
    }

    /// Every page of the list at `path` below the organization, at 200 items a page: its path and query, and its body
    /// as the sandbox wrote it. `see` is shown each item.
    pub fn list(&mut self, path: &str, mut see: impl FnMut(&str)) -> Result<Vec<(String, Vec<u8>)>> {
        let mut answers = Vec::new();
        let mut trail = Trail::default();
        while !trail.has_ended() {
            let after = trail.after().map(|cursor| format!("&after={}", utf8_percent_encode(cursor, RESERVED)));
            let target = format!("/v3/organizations/{ORG_ID}/{path}?first=200{}", after.unwrap_or_default());
            let body = self.get(&target)?;
            let page = Page::parse(body.clone()).map_err(anyhow::Error::msg)?;
            page.items().for_each(&mut see);
            trail.advance(&page);
            answers.push((target, body));
        }
        Ok(answers)
    }

    fn get(&mut self, target: &str) -> Result<Vec<u8>> {
        let question = format!("GET {target} HTTP/1.1\r\nhost: sandbox\r\nauthorization: Bearer {TOKEN}\r\n\r\n");
        self.connection.get_mut().write_all(question.as_bytes())?;
        let mut length = None;
        for number in 0.. {
            let mut line = String::new();
            self.connection.read_line(&mut line)?;
            let line = line.trim_end().to_ascii_lowercase();
            if number == 0 {
                ensure!(line.contains(" 200 "), "the sandbox answered {line:?} to {target}");
            } else if let Some(value) = line.strip_prefix("content-length:") {
                length = Some(value.trim().parse()?);
            } else if line.is_empty() {
                break;
            }
        }
        let Some(length) = length else { bail!("the sandbox did not say how long its answer is") };
        let mut body = vec![0; length];
        self.connection.read_exact(&mut body).context("the sandbox broke off")?;
        Ok(body)
    }
}
