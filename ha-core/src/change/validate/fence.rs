//! Fencing: on with devices, or off without.

use super::{Check, Problem};
use crate::change::edit::resources;
use crate::model::scalar;

pub(super) fn fencing(check: &mut Check<'_>) {
    let primitives = || resources(check.document).filter(|e| e.name() == "primitive");
    let device = primitives().find(|primitive| check.is_of(*primitive, "stonith"));
    let enabled = check.option("stonith-enabled").and_then(scalar::boolean);
    let watchdog = scalar::is_true(check.option("have-watchdog"));
    match (device, enabled.unwrap_or(true)) {
        (Some(device), false) => check.found(device, Problem::FencingOff),
        (None, true) if !watchdog && primitives().next().is_some() => {
            let root = check.document.root();
            let options = check.cib.crm_config().unwrap_or(root);
            check.found(options, Problem::NoFenceDevice);
        }
        _ => {}
    }
}
