//! What is packaged agrees with itself: one version, one name, streams that exist, and an image that has what it builds.

use std::path::Path;

use source_devin_ai::source::streams::STREAMS;

const METADATA: &str = include_str!("../metadata.yaml");
const DOCKERFILE: &str = include_str!("../Dockerfile");
const CONTEXT: &str = include_str!("../.dockerignore");
const MANIFEST: &str = include_str!("../Cargo.toml");

/// The value of `key: value`, which must stand once in the metadata.
fn metadata(key: &str) -> &'static str {
    let values: Vec<&str> =
        METADATA.lines().filter_map(|line| line.trim().strip_prefix(key)?.strip_prefix(": ")).collect();
    assert_eq!(values.len(), 1, "{key}: {values:?}");
    values[0].trim_matches('"')
}

#[test]
fn the_program_its_metadata_and_its_image_say_one_version_and_one_name() {
    assert_eq!(metadata("dockerImageTag"), env!("CARGO_PKG_VERSION"));
    for label in ["io.airbyte.version", "org.opencontainers.image.version"] {
        assert!(DOCKERFILE.contains(&format!("{label}=\"{}\"", env!("CARGO_PKG_VERSION"))), "{label}");
    }
    assert!(DOCKERFILE.contains(&format!("io.airbyte.name=\"{}\"", metadata("dockerRepository"))));
    assert_eq!(metadata("license"), "MIT");
    assert!(MANIFEST.contains("license = \"MIT\""));
    assert!(DOCKERFILE.contains("org.opencontainers.image.licenses=\"MIT\""));
    assert!(
        DOCKERFILE.contains(&format!("org.opencontainers.image.description=\"{}\"", env!("CARGO_PKG_DESCRIPTION")))
    );
}

#[test]
fn the_image_starts_the_program_by_its_absolute_path() {
    let entrypoint = "/airbyte/source-devin-ai";
    assert!(DOCKERFILE.contains(&format!("ENV AIRBYTE_ENTRYPOINT=\"{entrypoint}\"")));
    assert!(DOCKERFILE.contains(&format!("ENTRYPOINT [\"{entrypoint}\"]")));
}

/// Cargo refuses a manifest whose targets are missing, also when it builds none of them.
#[test]
fn the_image_is_built_from_everything_that_cargo_needs() {
    for name in ["Cargo.toml", "Cargo.lock", "benches", "build.rs", "schemas", "src"] {
        assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(name).exists());
        assert!(CONTEXT.lines().any(|line| line == format!("!{name}")), "{name} is kept out of the image's build");
    }
    assert!(CONTEXT.lines().any(|line| line == "*"), "everything else is kept out");
}

#[test]
fn the_usual_streams_are_suggested() {
    let (_, suggested) = METADATA.split_once("suggestedStreams:").unwrap();
    let names: Vec<&str> = suggested
        .lines()
        .skip_while(|line| !line.trim().starts_with("- "))
        .map_while(|line| line.trim().strip_prefix("- "))
        .collect();
    let usual: Vec<&str> = STREAMS.iter().filter(|stream| stream.is_usual).map(|stream| stream.name).collect();
    assert_eq!(names, usual);
}

/// A release without a word about it cannot be made: the forge takes its notes from there.
#[test]
fn the_changelog_speaks_of_this_version_or_of_the_next() {
    let changelog = include_str!("../CHANGELOG.md");
    let version = concat!("## ", env!("CARGO_PKG_VERSION"));
    assert!(changelog.contains("\n## Unreleased\n") || changelog.contains(version), "{version}");
}

#[test]
fn the_connectors_page_has_this_version_in_its_changelog() {
    let (_, changelog) = include_str!("../docs/devin-ai.md").split_once("\n## Changelog\n").unwrap();
    let row = concat!("\n| ", env!("CARGO_PKG_VERSION"), " | ");
    assert!(changelog.contains(row), "{row:?}");
}

#[test]
fn the_platform_may_reach_the_configured_address() {
    let (_, hosts) = METADATA.split_once("hosts:").unwrap();
    let spec: serde_json::Value = serde_json::from_str(include_str!("../schemas/spec.json")).unwrap();
    let api_url = &spec["connectionSpecification"]["properties"]["api_url"];
    let default = api_url["default"].as_str().and_then(|url| url.strip_prefix("https://")).unwrap();
    assert!(hosts.contains(&format!("- {default}\n")) && hosts.contains("- \"${api_url}\"\n"), "{hosts}");
    assert!(Path::new(env!("CARGO_MANIFEST_DIR")).join(metadata("icon")).is_file());
}
