//! Answers as the daemons of Pacemaker 2.1.5 give them, and others.

use super::*;
use crate::live::pacemaker::fencer::State;

fn parsed(text: &str) -> Document {
    Document::parse(text).unwrap()
}

#[test]
fn the_cib_is_taken_out_of_its_answer() {
    let reply = "<cib-reply t='cib' cib_op='cib_query' cib_callid='1' cib_rc='0'><cib_calldata>\
        <cib epoch='7'><status/></cib></cib_calldata></cib-reply>";
    let cib = parsed("<cib epoch='7'><status/></cib>");
    assert_eq!(cib_of(&parsed(reply)).unwrap(), cib);
    for other in [
        reply.replace("cib_rc='0'", "cib_rc='-13'"),
        reply.replace("cib_callid='1'", "cib_callid='2'"),
        reply.replace("cib-reply", "nack"),
        "<cib-reply cib_callid='1' cib_rc='0'/>".to_owned(),
    ] {
        let error = cib_of(&parsed(&other)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Protocol, "{other}");
    }
}

#[test]
fn fencing_events_are_taken_out_of_their_answer() {
    let reply = "<st-reply t='stonith-ng' op-status='0' rc-code='0' st_rc='0' \
        st_op='st_fence_history' st_callid='1'><st_calldata><st_history>\
        <st_execute st_target='esclave' st_device_action='on' st_origin='maitre' \
        st_delegate='maitre' st_clientname='stonith_admin.5332' st_date='1795397895' \
        st_date_nsec='145973467' st_state='2' op-status='0' rc-code='0' st_rc='0'/>\
        <st_execute st_target='esclave' st_device_action='off' st_origin='maitre' \
        st_clientname='stonith_admin.5343' st_date='0' st_date_nsec='0' st_state='1'/>\
        </st_history></st_calldata></st-reply>";
    let events = fencing_of(&parsed(reply)).unwrap();
    let [on, off] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!((on.target.as_str(), on.action.as_str()), ("esclave", "on"));
    assert_eq!((on.state, off.state), (State::Succeeded, State::Pending));
    assert_eq!(on.delegate.as_deref(), Some("maitre"));
    let at = on.completed.map(jiff::Timestamp::as_nanosecond);
    assert_eq!(at, Some(1_795_397_895_145_973_467));
    assert_eq!((off.completed, off.delegate.as_deref()), (None, None));
    let none = "<st-reply st_callid='1' st_rc='0'/>";
    assert!(fencing_of(&parsed(none)).unwrap().is_empty());
    for other in [
        reply.replace("st_rc='0'", "st_rc='-62'"),
        reply.replace("st_date='0'", "st_date='soon'"),
        reply.replace("st-reply", "ack"),
    ] {
        assert!(fencing_of(&parsed(&other)).is_err(), "{other}");
    }
}

#[test]
fn the_state_of_pacemakerd_is_taken_out_of_its_answer() {
    let reply = "<create_reply_adv t='crmd' subt='response' reference='ping-1' crm_task='ping'>\
        <crm_xml><ping_response crm_subsystem='pacemakerd' pacemakerd_state='running' \
        crm-timestamp='1795397811' result='ok'/></crm_xml></create_reply_adv>";
    let status = status_of(&parsed(reply), "ping-1").unwrap();
    assert_eq!(status.state, pacemakerd::State::Running);
    let at = status.last_updated.map(jiff::Timestamp::as_second);
    assert_eq!(at, Some(1_795_397_811));
    assert!(status_of(&parsed(reply), "ping-2").is_err());
    for other in [
        reply.replace("result='ok'", "result='error'"),
        reply.replace("ping_response", "other"),
        reply.replace("'pacemakerd'", "'pacemaker-remoted'"),
    ] {
        assert!(status_of(&parsed(&other), "ping-1").is_err(), "{other}");
    }
}
