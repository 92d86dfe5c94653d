//! The read in process, with a policy that does not wait: for what would take minutes through the binary.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use source_devin_ai::airbyte::{ConfiguredCatalog, InputState, Level};
use source_devin_ai::config::Config;
use source_devin_ai::devin::retry::Policy;
use source_devin_ai::devin::{Client, Settings};
use source_devin_ai::output::Output;
use source_devin_ai::source::check::check;
use source_devin_ai::source::context::Context;
use source_devin_ai::source::emit::{Emitter, Format, now_ms};
use source_devin_ai::source::plan::plan;
use source_devin_ai::source::read::{Ending, read};

use super::story::Told;
use super::{Api, ORG, TOKEN};

/// Three tries with hardly a wait.
pub fn fast() -> Policy {
    Policy {
        tries: 3,
        first_wait: Duration::from_millis(1),
        growth: 1,
        budget: Duration::from_secs(10),
        connect: Duration::from_secs(2),
        silence: Duration::from_secs(1),
        ..Policy::patient()
    }
}

/// A read that is being prepared.
pub struct Library {
    pub config: Config,
    pub policy: Policy,
    pub checkpoint_every: Duration,
}

impl Library {
    pub fn at(api: &Api) -> Library {
        Library::with(Config::of_sandbox(TOKEN, ORG, &api.url()))
    }

    pub fn with(config: Config) -> Library {
        Library { config, policy: fast(), checkpoint_every: Duration::from_secs(2) }
    }

    /// Reads these streams from this state file to the end.
    pub async fn read(&self, streams: &[&str], state: &str) -> (Ending, Told) {
        let (context, output, sink) = self.prepare();
        let streams: Vec<(&str, &str)> = streams.iter().map(|name| (*name, "incremental")).collect();
        let catalog = ConfiguredCatalog::parse(&super::catalog(&streams)).unwrap();
        let plan = plan(&self.config, &catalog, &InputState::parse(state).unwrap(), now_ms() / 1000);
        let ending = read(&Arc::new(context), plan, std::future::pending()).await;
        output.finish(None).unwrap();
        (ending, sink.told())
    }

    /// Checks the connection, and answers whether the command has succeeded.
    pub async fn check(&self) -> (bool, Told) {
        let (context, output, sink) = self.prepare();
        let has_succeeded = check(&context).await.say(&context.emitter);
        output.finish(None).unwrap();
        (has_succeeded, sink.told())
    }

    fn prepare(&self) -> (Context, Output, Sink) {
        let sink = Sink::default();
        let output = Output::to(Box::new(sink.clone()));
        let emitter = Emitter::new(output.clone(), Format::Airbyte, Level::Info);
        let client = Client::new(Settings {
            api_url: self.config.api_url.clone(),
            token: self.config.token.clone(),
            policy: self.policy.clone(),
            concurrency: self.config.concurrency,
        });
        let mut context = Context::new(client, emitter, &self.config);
        context.checkpoint_every = self.checkpoint_every;
        (context, output, sink)
    }
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Sink {
    fn told(&self) -> Told {
        Told::of(std::str::from_utf8(&self.0.lock().unwrap()).unwrap())
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
