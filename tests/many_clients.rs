//! Many clients at once (`dora --clients N`), in the lab.

#[path = "support/tool.rs"]
#[allow(dead_code)]
mod tool;

use tool::tool;

#[test]
fn each_reply_is_timed_from_the_question_of_its_client() {
    let slow = ["dora", "-i", "lab:delay=500ms", "--json"];
    let many = ["--clients", "3", "--stagger", "300ms"];
    let lines = tool(&[&slow[..], &many].concat()).succeeded().json();
    let after: Vec<f64> = lines.iter().filter_map(|it| it["after"].as_f64()).collect();
    assert_eq!(after.len(), 6, "three OFFERs and three ACKs");
    for it in &after {
        assert!((0.5..0.501).contains(it), "{after:?}");
    }
}
