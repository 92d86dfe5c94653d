//! The sandbox from outside, over real sockets, asked byte by byte.

mod aging;
mod creating;
mod data;
mod faults;
mod further;
mod lists;
mod living;
mod odd;
mod refusals;

use std::io;

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{ORG_ID, Options, Sandbox, TOKEN, TOKEN_ENTERPRISE, TOKEN_PERSONAL};

/// How often is asked for something that must happen soon, before it counts as never.
const MOST_REQUESTS: usize = 100_000;

/// What came back on a connection that was used once.
struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn read(bytes: Vec<u8>) -> Reply {
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").expect("a head ends");
        Reply {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            head: head.to_ascii_lowercase(),
            body: body.to_owned(),
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|line| line.0 == name).map(|line| line.1)
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

async fn start(options: Options) -> Sandbox {
    Sandbox::start(options).await.unwrap()
}

/// Sends a request as it is written and reads until the server closes.
async fn exchange(sandbox: &Sandbox, request: &str) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", sandbox.port())).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await?;
    Ok(bytes)
}

/// A GET with the right key; `{org}` stands for the organization.
fn request(target: &str) -> String {
    let target = target.replace("{org}", &format!("/v3/organizations/{ORG_ID}"));
    format!("GET {target} HTTP/1.1\r\nhost: sandbox\r\nauthorization: Bearer {TOKEN}\r\nconnection: close\r\n\r\n")
}

/// A request with a body, with any key.
fn request_with(method: &str, target: &str, body: &str, token: &str) -> String {
    let head = request(target).replacen("GET", method, 1).replace(TOKEN, token);
    let length = format!("content-length: {}\r\nconnection", body.len());
    head.replacen("connection", &length, 1) + body
}

async fn send(sandbox: &Sandbox, method: &str, target: &str, body: &str, token: &str) -> Reply {
    Reply::read(exchange(sandbox, &request_with(method, target, body, token)).await.unwrap())
}

async fn create(sandbox: &Sandbox, body: &Value) -> Reply {
    send(sandbox, "POST", "{org}/sessions", &body.to_string(), TOKEN).await
}

async fn get(sandbox: &Sandbox, target: &str) -> Reply {
    Reply::read(exchange(sandbox, &request(target)).await.unwrap())
}

/// Every item of a list, page by page; checks the envelopes on the way.
async fn items(sandbox: &Sandbox, list: &str) -> Vec<Value> {
    let mut items = Vec::new();
    let mut after = String::new();
    loop {
        let separator = if list.contains('?') { '&' } else { '?' };
        let page = match after.as_str() {
            "" => get(sandbox, list).await,
            after => {
                let after = utf8_percent_encode(after, NON_ALPHANUMERIC);
                get(sandbox, &format!("{list}{separator}after={after}")).await
            }
        };
        assert_eq!(page.status, 200, "{}", page.body);
        assert_eq!(page.header("content-type"), Some("application/json"));
        let page = page.json();
        items.extend(page["items"].as_array().unwrap().iter().cloned());
        if !page["has_next_page"].as_bool().unwrap() {
            if let Some(total) = page["total"].as_u64() {
                assert_eq!(total, items.len() as u64);
            }
            return items;
        }
        let next = page["end_cursor"].as_str().unwrap().to_owned();
        assert_ne!(next, after);
        after = next;
    }
}

/// The values of one text field.
fn texts(items: &[Value], field: &str) -> Vec<String> {
    let texts = items.iter().map(|item| item[field].as_str().unwrap());
    texts.map(str::to_owned).collect()
}
