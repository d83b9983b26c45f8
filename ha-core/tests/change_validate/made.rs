//! Agents and configurations made for these tests.

use ha_core::Result;
use ha_core::change::validate::{Fault, validate};
use ha_core::language::Language;
use ha_core::model::agent::{AgentName, Metadata};
use ha_core::xml::Document;

/// An address: parameters of all kinds.
pub(crate) const ADDRESS: &str = "<resource-agent name='address'><parameters>\
    <parameter name='ip' required='1' unique='1'><content type='string' default=''/></parameter>\
    <parameter name='netmask'><content type='integer' default='24'/></parameter>\
    <parameter name='wait'><content type='integer' default='5s'/></parameter>\
    <parameter name='pause'><content type='time'/></parameter>\
    <parameter name='quiet'><content type='boolean' default='false'/></parameter>\
    <parameter name='mode'><content type='select' default='soft'><option value='soft'/>\
    <option value='hard'/></content></parameter>\
    <parameter name='password'><content type='integer'/></parameter>\
    <parameter name='host' unique-group='place'/><parameter name='port' unique-group='place'/>\
    <parameter name='table' required='1'><content type='string' default='main'/></parameter>\
    </parameters><actions><action name='start' timeout='20s'/><action name='stop' timeout='20s'/>\
    <action name='monitor' timeout='20s' interval='10s'/></actions></resource-agent>";

/// A base of data that can be promoted, and is slow.
pub(crate) const BASE: &str = "<resource-agent name='base'><parameters/><actions>\
    <action name='start' timeout='120s'/><action name='stop' timeout='60s'/>\
    <action name='promote' timeout='30s'/><action name='demote' timeout='30s'/>\
    <action name='monitor' timeout='15s' interval='10s' role='Promoted'/>\
    <action name='monitor' timeout='25s' interval='10s' role='Unpromoted'/>\
    </actions></resource-agent>";

pub(crate) const PING: &str = "<resource-agent name='ping'><parameters>\
    <parameter name='host_list' required='1'/><parameter name='name'/></parameters>\
    <actions><action name='monitor' timeout='20s' interval='10s'/></actions></resource-agent>";

pub(crate) const FENCE: &str = "<resource-agent name='fence_test'><parameters>\
    <parameter name='action' required='1'/><parameter name='plug' required='1' obsoletes='port'/>\
    <parameter name='ip' required='1' obsoletes='ipaddr'/>\
    <parameter name='ipaddr' required='1' deprecated='1'/></parameters>\
    <actions><action name='monitor'/></actions></resource-agent>";

pub(crate) fn described(agent: &AgentName) -> Result<Option<Metadata>> {
    let text = match &*agent.to_string() {
        "ocf:test:address" => ADDRESS,
        "ocf:test:base" => BASE,
        "ocf:pacemaker:ping" => PING,
        "stonith:fence_test" => FENCE,
        "ocf:test:broken" => return Err(ha_core::Error::invalid("it printed nonsense")),
        _ => return Ok(None),
    };
    Metadata::parse(text).map(Some)
}

pub(crate) fn faults(cib: &Document) -> Vec<Fault> {
    validate(cib, Some(&mut described))
}

/// The sections of a configuration. Without fencing, unless there are options.
#[derive(Default, Clone, Copy)]
pub(crate) struct Parts<'a> {
    pub(crate) options: &'a str,
    pub(crate) resources: &'a str,
    pub(crate) constraints: &'a str,
    pub(crate) levels: &'a str,
    pub(crate) rest: &'a str,
}

impl Parts<'_> {
    pub(crate) fn cib(self, schema: Option<&str>) -> Document {
        let Self {
            options,
            resources,
            constraints,
            levels,
            rest,
        } = self;
        let options = match options {
            "" => "<nvpair id='o-s' name='stonith-enabled' value='false'/>",
            options => options,
        };
        let head = schema.map_or_else(String::new, |name| {
            format!("validate-with='{name}' admin_epoch='0' epoch='1' num_updates='0'")
        });
        let text = format!(
            "<cib {head}><configuration><crm_config><cluster_property_set id='o'>{options}\
             </cluster_property_set></crm_config>\
             <nodes><node id='1' uname='maitre'/><node id='2' uname='esclave'/></nodes>\
             <resources>{resources}</resources><constraints>{constraints}</constraints>\
             {levels}{rest}</configuration><status/></cib>"
        );
        Document::parse(&text).unwrap_or_else(|e| panic!("{e:#}\n{text}"))
    }
}

pub(crate) fn resources(resources: &str) -> Parts<'_> {
    Parts {
        resources,
        ..Parts::default()
    }
}

pub(crate) fn told(cib: &Document) -> Vec<String> {
    let line = |fault: &Fault| {
        let text = fault.text(Language::English);
        format!("{:?} | {} | {text}", fault.severity, fault.place)
    };
    faults(cib).iter().map(line).collect()
}

/// The schema of the CIBs, when it is installed here.
pub(crate) fn schema() -> Option<&'static str> {
    let name = "pacemaker-3.7";
    ha_core::schema::installed(name).ok().map(|_| name)
}

/// Checks what is told of a configuration: the same with the schema and without.
#[track_caller]
pub(crate) fn expect(parts: Parts<'_>, wanted: &[&str]) {
    assert_eq!(told(&parts.cib(None)), wanted, "without the schema");
    if let Some(name) = schema() {
        assert_eq!(told(&parts.cib(Some(name))), wanted, "with {name}");
    }
}

/// A good address: what it has besides its ip, and what follows its monitor.
pub(crate) fn address(id: &str, parameters: &str, operations: &str) -> String {
    format!(
        "<primitive id='{id}' class='ocf' provider='test' type='address'>\
         <instance_attributes id='{id}-p'><nvpair id='{id}-ip' name='ip' value='10.0.0.{id}'/>\
         {parameters}</instance_attributes><operations><op id='{id}-m' name='monitor' interval='10s' \
         timeout='20s'/>{operations}</operations></primitive>"
    )
}

pub(crate) fn with_parameter(name: &str, value: &str) -> String {
    let pair = format!("<nvpair id='x' name='{name}' value='{value}'/>");
    address("A", &pair, "")
}

pub(crate) fn with_meta(name: &str, value: &str) -> String {
    let meta = format!(
        "<meta_attributes id='t'><nvpair id='t-1' name='{name}' value='{value}'/></meta_attributes>"
    );
    address("A", "", "").replace("<operations>", &format!("{meta}<operations>"))
}

pub(crate) fn ping(inside: &str) -> String {
    format!(
        "<clone id='C'><primitive id='P' class='ocf' provider='pacemaker' type='ping'>\
         <instance_attributes id='P-p'><nvpair id='P-h' name='host_list' value='10.0.0.1'/>{inside}\
         </instance_attributes><operations><op id='P-m' name='monitor' interval='10s' timeout='20s'/>\
         </operations></primitive></clone>"
    )
}

pub(crate) fn rule(expressions: &str) -> String {
    format!(
        "<rsc_location id='L' rsc='A'><rule id='L-r' score='-INFINITY' boolean-op='or'>{expressions}\
         </rule></rsc_location>"
    )
}

pub(crate) const TOO_FEW: &str =
    "<expression id='L-1' attribute='pingd' operation='lt' value='1' type='number'/>";
pub(crate) const NONE_AT_ALL: &str =
    "<expression id='L-2' attribute='pingd' operation='not_defined'/>";
