use clap::{CommandFactory, Parser};

use super::Options;

#[test]
fn the_definition_holds_together() {
    Options::command().debug_assert();
}

fn check(line: &str, accepted: bool) {
    let outcome = Options::try_parse_from(words(line));
    assert_eq!(outcome.is_ok(), accepted, "{line}: {outcome:?}");
}

/// As a shell splits a line, as far as that is needed here: single quotes hold together.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (index, part) in line.split('\'').enumerate() {
        let is_quoted = index % 2 == 1;
        for (index, piece) in part.split(|letter: char| !is_quoted && letter.is_whitespace()).enumerate() {
            if index > 0 {
                words.push(String::new());
            }
            words.last_mut().expect("one at least").push_str(piece);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

#[test]
fn settings_of_one_component_are_requested_together() {
    check("wilco send -c plant -d a led on=true", true);
    check("wilco send -c plant -d a -d b --timeout 10s --ttl 60s --retries 2 --output json led", true);
    check("wilco send -c plant --devices-from ids led", true);
    check("wilco send --url mqtt://h -d a led", true);
    check("wilco send --url mqtts://h --ca ca --cert c --key k --username u -d a led", true);
    check("wilco --data-dir d history -c plant --state timed_out --format csv", true);
    check("wilco history --data-dir d -c plant", true);
    check("wilco send -d a led", false);
    check("wilco send -c plant led", false);
    check("wilco send -c plant --url mqtt://h -d a led", false);
    check("wilco send -c plant -d a", false);
    check("wilco send -c plant -d a --timeout 10 led", false);
    check("wilco history -c plant --output json", true);
    check("wilco history -c plant --output text", true);
    check("wilco history -c plant --format csv", true);
    check("wilco log -c plant -d a", true);
    check("wilco log -c plant -d a -n 200 --follow --every 10s", true);
    check("wilco log -c plant -d a --lines 200 -o a.log", true);
    check("wilco log -c plant -d a -o a.log --force", true);
    check("wilco log -c plant -d a --force", false);
    check("wilco log -c plant -d a -o a.log --follow", false);
    check("wilco log -c plant -d a --every 10s", false);
    check("wilco log -c plant -d a --lines 0", false);
    check("wilco log -c plant", false);
    check("wilco history -c plant --state done", false);
    check("wilco history", false);
    check("wilco evidence", true);
    check("wilco evidence -c plant --output json", true);
    check("wilco evidence -c plant verify f", false);
}

#[test]
fn options_that_describe_a_connection_conflict_with_a_stored_one() {
    for described in [
        "--ca ca",
        "--pin server",
        "--cert c",
        "--pkcs12 p",
        "--kit z",
        "--file f",
        "--sni n",
        "--alpn a",
        "--username u",
        "--password-stdin",
        "--passphrase-stdin",
        "--proxy http://p:1",
        "--preset aws",
        "--mqtt 5",
        "--prefix p",
    ] {
        check(&format!("wilco send -c plant {described} -d a led"), false);
        check(&format!("wilco send --url mqtts://h {described} -d a led"), true);
        check(&format!("wilco connections test plant {described}"), false);
        check(&format!("wilco connections test --url mqtts://h {described}"), true);
        check(&format!("wilco connections edit plant {described}"), true);
        check(&format!("wilco connections add plant --url mqtts://h {described}"), true);
    }
}

#[test]
fn a_text_replaces_a_command() {
    check("wilco send -c plant -d a --text 'light: on'", true);
    check("wilco send -c plant -d a --text 'light: on' --no-answer --output json", true);
    check("wilco send -c plant -d a --no-answer restart", true);
    check("wilco send -c plant -d a --text on led", false);
    check("wilco send -c plant -d a --text on --args {}", false);
}

#[test]
fn a_connection_is_described_in_many_ways() {
    let add = |options: &str, accepted: bool| check(&format!("wilco connections add plant {options}"), accepted);
    add("", false);
    add("--url mqtt://h --mqtt 3.1.1", true);
    add("--url mqtt://h --mqtt 4", false);
    add("--url mqtts://h --preset aws --alpn x-amzn-mqtt-ca --alpn mqtt --sni name", true);
    add("--url mqtts://h --preset azure", false);
    add("--url mqtts://h --file a --file b --passphrase-stdin", true);
    add("--url mqtts://h --ca a --ca b --pkcs12 p", true);
    add("--url mqtts://h --cert c --pkcs12 p", false);
    add("--url mqtts://h --kit z --pkcs12 p", false);
    add("--url mqtts://h --pin s --ca a", false);
    add("--url mqtts://h --pkcs12 p --platform-roots", true);
    add("--url mqtts://h --ca a --platform-roots", false);
    add("--url mqtts://h --proxy socks5://p:1080 --proxy-username u --proxy-password-stdin", true);
    add("--url mqtts://h --keep-alive 30s --session-expiry 1h --only-device a --only-device b", true);
    add("--url mqtts://h --session-expiry 0", true);
    add("--url mqtts://h --keep-alive 500ms", false);
    add("--url mqtts://h --keep-alive 7d", false);
    // Secrets are never arguments.
    add("--url mqtts://h --username u --password secret", false);
    add("--url mqtts://h --pkcs12 p --passphrase secret", false);
    add("--url mqtts://h --proxy http://p:1 --proxy-password secret", false);
}

#[test]
fn connections_are_changed_and_carried_about() {
    check("wilco connections edit plant --rename works --no-password --no-certificates --no-proxy", true);
    check("wilco connections edit plant --no-password --password-stdin", false);
    check("wilco connections edit plant --no-proxy --proxy http://p:1", false);
    check("wilco connections edit --rename works", false);
    check("wilco connections duplicate plant", true);
    check("wilco connections move plant --to 1", true);
    check("wilco connections move plant --to 0", false);
    check("wilco connections move plant", false);
    check("wilco connections test", false);
    check("wilco connections test plant --url mqtt://h", false);
    check("wilco connections test plant --output json", true);
    check("wilco connections renew plant --pkcs12 new.p12 --passphrase-stdin", true);
    check("wilco connections renew plant --cert c --key k", true);
    check("wilco connections renew plant --ca ca", false);
    check("wilco connections export --to f", true);
    check("wilco connections export a b --to f --with-secrets --passphrase-stdin --force", true);
    check("wilco connections export a --to f --passphrase-stdin", false);
    check("wilco connections export a", false);
    check("wilco connections import f --passphrase-stdin", true);
    check("wilco connections import", false);
}

#[test]
fn the_readmes_examples_are_valid() {
    let readme = include_str!("../../../../README.md");
    let lines: Vec<_> = readme.lines().filter(|line| line.starts_with("wilco ")).collect();
    assert!(lines.len() >= 8, "{lines:?}");
    for line in lines {
        check(line, true);
    }
}
