//! Each operation that waits has a twin for programs that run tokio: a name that is missing here fails to compile.
#![cfg(all(feature = "live", feature = "tokio"))]

use std::time::Duration;

use ha_core::live::cluster::{
    Cluster, ConnectOptions, Forget, Forgotten, Move, Moved, Operation, Restart,
};
use ha_core::{ErrorKind, Result};

const CIB: &str = "<cib validate-with='pacemaker-3.0' admin_epoch='0' epoch='1' num_updates='0'>\
    <configuration><crm_config/><nodes><node id='1' uname='maitre'/></nodes>\
    <resources><primitive id='vip' class='ocf' provider='pacemaker' type='Dummy'/></resources>\
    <constraints/></configuration><status/></cib>";

const LIMIT: Duration = Duration::from_secs(60);

/// How two calls have ended, so that they can be compared.
fn end<T: std::fmt::Debug>(result: Result<T>) -> std::result::Result<String, ErrorKind> {
    result
        .map(|value| format!("{value:?}"))
        .map_err(|e| e.kind())
}

async fn of_operations(operation: &Operation) {
    assert_eq!(end(operation.plan_async().await), end(operation.plan()));
    assert_eq!(
        end(operation.what_if_async().await),
        end(operation.what_if())
    );
    let done = operation.wait_async(LIMIT).await.expect("it is a file");
    assert!(!done.changed.is_empty());
    // Done by the twin, there is nothing left for the other, nor for the next.
    assert!(operation.send().expect("it is a file").is_empty());
    assert!(operation.send_async().await.expect("a file").is_empty());
}

/// What needs a running cluster ends as its twin does: refused, for a file.
async fn of_moves(order: &Move, restart: &Restart, forget: &Forget) {
    assert_eq!(end(order.what_if_async().await), end(order.what_if()));
    assert_eq!(end(order.foresee_async().await), end(order.foresee()));
    assert_eq!(end(restart.what_if_async().await), end(restart.what_if()));
    assert_eq!(end(forget.what_if_async().await), end(forget.what_if()));
    let moved: Result<Moved> = order.wait_async(LIMIT).await;
    assert_eq!(end(moved), end(order.wait(LIMIT)));
    assert_eq!(
        end(restart.wait_async(LIMIT).await),
        end(restart.wait(LIMIT))
    );
    let forgotten: Result<Vec<Forgotten>> = forget.wait_async(LIMIT).await;
    assert_eq!(end(forgotten), end(forget.wait(LIMIT)));
}

async fn of_the_cluster(cluster: &Cluster) {
    assert_eq!(
        end(cluster.status_async().await.map(|s| s.nodes().count())),
        end(cluster.status().map(|s| s.nodes().count()))
    );
    let plan = cluster.change_async(|_| Ok(())).await.expect("a file");
    assert!(plan.is_empty());
    assert_eq!(
        end(cluster.abandoned_async().await),
        end(cluster.abandoned())
    );
    assert_eq!(
        end(cluster.end_abandoned_async().await),
        Ok("[]".to_owned())
    );
    assert_eq!(end(cluster.end_own_async().await), Ok("[]".to_owned()));
    assert_eq!(
        end(cluster.settle_async(LIMIT).await.map(|_| ())),
        end(cluster.settle(LIMIT).map(|_| ()))
    );
    assert_eq!(
        end(cluster.wait_for_async(LIMIT, |_| true).await.map(|_| ())),
        end(cluster.wait_for(LIMIT, |_| true).map(|_| ()))
    );
    // These ask daemons, of which there are none here.
    let soon = Duration::from_millis(100);
    assert_eq!(
        end(cluster.dc_async(soon).await).err(),
        end(cluster.dc(soon)).err()
    );
    let mut options = ConnectOptions::default();
    options.timeout = soon;
    assert_eq!(
        end(Cluster::connect_async(&options).await.map(|_| ())),
        end(Cluster::connect(&options).map(|_| ()))
    );
}

#[test]
fn each_has_its_twin() {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let path = folder.path().join("cib.xml");
    std::fs::write(&path, CIB).expect("written");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let cluster = Cluster::open_file(&path).expect("a CIB file");
        let vip = cluster.resource("vip");
        of_operations(&vip.stop()).await;
        of_moves(&vip.move_to("maitre"), &vip.restart(), &vip.cleanup()).await;
        of_the_cluster(&cluster).await;
    });
}
