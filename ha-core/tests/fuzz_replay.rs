//! Runs the fuzz targets' checks on their seeds, and on mutations of them: a bounded, repeatable
//! share of what `cargo fuzz` does without end. `HA_FUZZ_ITERATIONS` sets the number of mutations.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

#[path = "../../fuzz/src/cib_parse.rs"]
#[allow(unreachable_pub, reason = "public in the fuzz crate")]
mod cib_parse;
#[path = "../../fuzz/src/cib_status.rs"]
#[allow(unreachable_pub, reason = "public in the fuzz crate")]
mod cib_status;
#[path = "../../fuzz/src/patch_apply.rs"]
#[allow(unreachable_pub, reason = "public in the fuzz crate")]
mod patch_apply;
#[path = "../../fuzz/src/xml_parse.rs"]
#[allow(unreachable_pub, reason = "public in the fuzz crate")]
mod xml_parse;

/// Pieces that a mutation of bytes alone would hardly ever make.
const PIECES: &[&str] = &[
    "<",
    ">",
    "/>",
    "</",
    "<!--",
    "-->",
    "<![CDATA[",
    "]]>",
    "<?",
    "?>",
    "<!DOCTYPE",
    "&lt;",
    "&#10;",
    "&#x0;",
    "&",
    ";",
    "\"",
    "'",
    "=",
    " id=\"a\"",
    " id='a'",
    "<a>",
    "</a>",
    "<a/>",
    "<cib>",
    "\0",
    "\u{FFFF}",
    "é",
    "\r\n",
    " epoch='2'",
    "<change operation='move' path='/cib/a' position='1'/>",
    "<change operation='delete' path=\"/cib/a[@id='a']\"/>",
    " operation='monitor' rc-code='1' op-status='0'",
    " on-fail='fence'",
    " interval='-1'",
    " value='INFINITY'",
    " call-id='99999999999999999999'",
    " last-rc-change='-1'",
    "[@id='",
    "']",
    "/comment",
    " position='0'",
    "<diff format='2'>",
    "</diff>",
];

/// A small generator (xorshift64*): the same numbers on each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).unwrap_or(0) % limit.max(1)
    }
}

fn mutated(seeds: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut data = seeds[numbers.below(seeds.len())].clone();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(data.len() + 1);
        let end = (at + numbers.below(20)).min(data.len());
        match numbers.below(6) {
            0 if at < data.len() => data[at] ^= 1 << numbers.below(8),
            1 => drop(data.drain(at..end)),
            2 => {
                let copy = data[at..end].to_vec();
                let to = numbers.below(data.len() + 1);
                drop(data.splice(to..to, copy));
            }
            3 => {
                let other = &seeds[numbers.below(seeds.len())];
                let from = numbers.below(other.len() + 1);
                data.truncate(at);
                data.extend_from_slice(&other[from..]);
            }
            _ => {
                let piece = PIECES[numbers.below(PIECES.len())];
                drop(data.splice(at..at, piece.bytes()));
            }
        }
    }
    data
}

/// Where the seeds of the targets for CIBs are: the fixtures of the status.
const CIBS: &str = "tests/data/status";

fn replay(folder: &str, check: fn(&[u8]), share: usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .unwrap_or_else(|e| panic!("{}: {e}", folder.display()))
        .map(|entry| entry.expect("an entry").path())
        // Beside the fixtures of the status is what is printed of them.
        .filter(|path| !folder.ends_with(CIBS) || path.extension().is_some_and(|end| end == "xml"))
        .collect();
    files.sort();
    let seeds: Vec<_> = files
        .iter()
        .map(|f| std::fs::read(f).expect("a seed"))
        .collect();
    assert!(seeds.len() > 2, "{}", folder.display());
    for (file, seed) in files.iter().zip(&seeds) {
        println!("{}", file.display());
        check(seed);
    }
    let iterations =
        std::env::var("HA_FUZZ_ITERATIONS").map_or(5_000, |n| n.parse().expect("a number"));
    let iterations: usize = iterations / share;
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    for i in 0..iterations {
        let data = mutated(&seeds, &mut numbers);
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(&data))) {
            println!("mutation {i}: {:?}", String::from_utf8_lossy(&data));
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn xml_parse_replay() {
    replay("../fuzz/seeds/xml_parse", xml_parse::check, 1);
}

#[test]
fn patch_apply_replay() {
    replay("../fuzz/seeds/patch_apply", patch_apply::check, 1);
}

#[test]
fn cib_parse_replay() {
    replay(CIBS, cib_parse::check, 5);
}

#[test]
fn cib_status_replay() {
    replay(CIBS, cib_status::check, 20);
}
