//! Tells a released program which commit it is built from, where that is known: not in an archive of the sources, and not
//! in a debug build, which would be compiled anew after each commit.

use std::path::Path;
use std::process::Command;

/// Where a build without the repository, such as an image's, says the commit.
const COMMIT: &str = "SOURCE_DEVIN_AI_COMMIT";

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-env-changed={COMMIT}");
    let is_released = variable("PROFILE").is_some_and(|profile| profile == "release");
    let commit = variable(COMMIT).or_else(|| is_released.then(commit_of_the_repository).flatten());
    let version = variable("CARGO_PKG_VERSION").expect("Cargo names the version");
    let version = match commit {
        // As long as forges show it.
        Some(commit) => format!("{version} ({})", commit.get(..7).unwrap_or(&commit)),
        None => version,
    };
    println!("cargo:rustc-env=SOURCE_DEVIN_AI_VERSION={version}");
}

/// The commit that is checked out here. `None` where this folder is no repository, or only part of somebody else's.
fn commit_of_the_repository() -> Option<String> {
    let root = git(&["rev-parse", "--show-toplevel"])?;
    let here = variable("CARGO_MANIFEST_DIR")?;
    if Path::new(&root).canonicalize().ok()? != Path::new(&here).canonicalize().ok()? {
        return None;
    }
    // It grows by a line with every commit and every checkout.
    if let Some(log) = git(&["rev-parse", "--git-path", "logs/HEAD"]) {
        println!("cargo:rerun-if-changed={log}");
    }
    git(&["rev-parse", "HEAD"])
}

fn git(arguments: &[&str]) -> Option<String> {
    let answer = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(answer.stdout).ok()?.trim().to_string();
    (answer.status.success() && !text.is_empty()).then_some(text)
}

/// The value of an environment variable. `None` where it is not set, or empty.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
