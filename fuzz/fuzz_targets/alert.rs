//! Whatever a sender delivers, it is refused or becomes alerts whose words keep foreign text between its marks.

#![no_main]

use libfuzzer_sys::fuzz_target;
use redact::Redactor;
use source_devin_ai::relay::alert::{Alert, Format};
use source_devin_ai::relay::inbound::{self, Grouping, MAX_ALERTS, Mapping, Reading};
use source_devin_ai::relay::prompt::{LONGEST_PROMPT, LONGEST_TITLE, words};

/// A mapping that finds something in many payloads.
const MAPPING: &str = "title: title\nstate: '{{ data.status }}'\nresolved_when: '{{ ok }}'\nurl: url\neach: alerts\n";

fuzz_target!(|payload: &[u8]| {
    let mapping = Mapping::parse(MAPPING).expect("the mapping is right");
    let group = Reading { format: None, grouping: Grouping::Group, mapping: None };
    let readings = [
        group,
        Reading { grouping: Grouping::PerAlert, ..group },
        Reading { format: Some(Format::Any), ..group },
        Reading { mapping: Some(&mapping), ..group },
    ];
    for reading in readings {
        match inbound::read(payload, &[], reading) {
            Ok(delivery) => {
                assert!(delivery.alerts.len() <= MAX_ALERTS);
                delivery.alerts.iter().for_each(check);
            }
            Err(problem) => {
                let sentence = problem.to_string();
                assert!(!sentence.contains('\n') && sentence.len() < 600, "{sentence}");
                // The mapping that a refusal offers takes the payload, and stands between quotes of a shell.
                if let Some(offered) = problem.mapping() {
                    assert!(!offered.contains('\'') && !offered.contains('\n'), "{offered}");
                    let offered = Mapping::parse(&offered).expect("an offered mapping can be read");
                    let reading = Reading { mapping: Some(&offered), ..group };
                    assert!(inbound::read(payload, &[], reading).is_ok());
                }
            }
        }
    }
});

fn check(alert: &Alert) {
    let key = alert.dedupe_key(&[]);
    assert!(!key.chars().any(char::is_control), "{key:?}");

    let words = words(alert, &key, "", None, &Redactor::default()).expect("the default template fits every alert");
    assert!(words.title.len() < LONGEST_TITLE + 120, "{}", words.title.len());
    assert!(!words.title.chars().any(char::is_control), "{:?}", words.title);
    assert!(words.prompt.len() < LONGEST_PROMPT + 200, "{}", words.prompt.len());
    assert!(!words.prompt.chars().any(|c| c.is_control() && c != '\n' && c != '\t'), "{:?}", words.prompt);

    // The mark's name stands in the sentence first: `between <NAME> and </NAME>`.
    let (_, rest) = words.prompt.split_once("Everything between <").expect("foreign text is fenced");
    let (mark, _) = rest.split_once('>').expect("the mark has an end");
    assert_eq!(words.prompt.matches(&format!("\n<{mark}>\n")).count(), 1, "it is opened once");
    assert_eq!(words.prompt.matches(&format!("\n</{mark}>")).count(), 1, "and closed once");
}
