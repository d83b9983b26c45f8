//! Bundles: containers, with their network, their storage, and what runs in them.

use super::attributes::AttributeSet;
use super::checked;
use super::macros::{choice, part};
use super::resource::Primitive;
use super::rest::Rest;
use crate::name::Id;

part! {
    /// Replicas of a container, with what runs in them.
    ///
    /// # Example
    /// ```
    /// use ha_core::config::{Bundle, Primitive};
    /// let web = Bundle::podman("web", "localhost/httpd:1")
    ///     .replicas(2)
    ///     .addresses("192.168.0.131")
    ///     .port(80)
    ///     .mount("/srv/www", "/var/www/html", "rw")
    ///     .primitive(Primitive::ocf("heartbeat", "apache", "httpd"));
    /// # let _ = web;
    /// ```
    Bundle {
        /// Its id.
        id: Id = required "id",
        /// What it is, for people.
        description: Option<String> = optional "description",
        /// What the cluster makes of it.
        meta: Vec<AttributeSet> = many "meta_attributes",
        /// What the agents in it are told.
        parameters: Vec<AttributeSet> = many "instance_attributes",
        /// The container.
        container: Container = exactly,
        /// How it is reached.
        network: Option<Box<BundleNetwork>> = one "network",
        /// Which files of the host it sees.
        storage: BundleStorage = nested "storage",
        /// What runs in it.
        primitive: Option<Box<Primitive>> = one "primitive",
    }
}

choice! {
    /// A container, by what runs it.
    Container {
        /// Docker.
        Docker(ContainerOptions) = "docker",
        /// Podman.
        Podman(ContainerOptions) = "podman",
        /// rkt.
        Rkt(ContainerOptions) = "rkt",
    }
}

impl Container {
    /// Returns the options.
    #[must_use]
    pub fn options(&self) -> &ContainerOptions {
        match self {
            Self::Docker(options) | Self::Podman(options) | Self::Rkt(options) => options,
        }
    }

    /// Returns the options, to change them.
    pub fn options_mut(&mut self) -> &mut ContainerOptions {
        match self {
            Self::Docker(options) | Self::Podman(options) | Self::Rkt(options) => options,
        }
    }
}

part! {
    /// What is run, and how often.
    ContainerOptions {
        /// The image.
        image: String = required "image",
        /// How many replicas there are.
        replicas: Option<u32> = optional "replicas",
        /// How many of them may be on one node.
        replicas_per_host: Option<u32> = optional "replicas-per-host",
        /// How many of them may be promoted.
        promoted_max: Option<u32> = optional "promoted-max",
        /// What is run in the container.
        run_command: Option<String> = optional "run-command",
        /// The network of the container, as its engine calls it.
        network: Option<String> = optional "network",
        /// More options for the engine.
        options: Option<String> = optional "options",
    }
}

part! {
    /// How a container is reached.
    #[derive(Default)]
    BundleNetwork {
        /// The address of the first replica.
        ip_range_start: Option<String> = optional "ip-range-start",
        /// The port that the cluster uses.
        control_port: Option<u32> = optional "control-port",
        /// The host's interface.
        host_interface: Option<String> = optional "host-interface",
        /// The length of the network's prefix, in bits.
        host_netmask: Option<u32> = optional "host-netmask",
        /// Whether the replicas find each other by name.
        add_host: Option<bool> = optional "add-host",
        /// The ports that are passed on.
        ports: Vec<PortMapping> = many "port-mapping",
    }
}

part! {
    /// A port, or a range of some, that is passed on to a container.
    PortMapping {
        /// Its id.
        id: Option<Id> = own "id",
        /// The port of the host.
        port: Option<u32> = optional "port",
        /// The port of the container, when it is another.
        internal_port: Option<u32> = optional "internal-port",
        /// A range of ports: `8000-8010`.
        range: Option<String> = optional "range",
    }

    fn suffix(&self, _: &str) -> String {
        let port = self.port.map(|port| port.to_string());
        let port = port.as_deref().or(self.range.as_deref());
        format!("port-map-{}", port.unwrap_or_default())
    }
}

part! {
    /// Which files of the host a container sees.
    #[derive(Default)]
    BundleStorage {
        /// The files and folders.
        mappings: Vec<StorageMapping> = many "storage-mapping",
    }
}

part! {
    /// A file or folder of the host that a container sees.
    StorageMapping {
        /// Its id.
        id: Option<Id> = own "id",
        /// Where it is on the host.
        source_dir: Option<String> = optional "source-dir",
        /// Where there is, on the host, a folder for each replica.
        source_dir_root: Option<String> = optional "source-dir-root",
        /// Where it is in the container.
        target_dir: String = required "target-dir",
        /// Options of the mount: `rw`, `ro` ....
        options: Option<String> = optional "options",
    }

    fn suffix(&self, _: &str) -> String {
        "storage-map".to_owned()
    }
}

impl Bundle {
    /// Makes a bundle of a container.
    #[must_use]
    pub fn new(id: impl AsRef<str>, container: Container) -> Self {
        let mut rest = Rest::default();
        Self {
            id: checked(id.as_ref(), &mut rest),
            description: None,
            meta: Vec::new(),
            parameters: Vec::new(),
            container,
            network: None,
            storage: BundleStorage::default(),
            primitive: None,
            rest,
        }
    }

    /// Makes a bundle that Podman runs.
    #[must_use]
    pub fn podman(id: impl AsRef<str>, image: &str) -> Self {
        Self::new(id, Container::Podman(ContainerOptions::new(image)))
    }

    /// Makes a bundle that Docker runs.
    #[must_use]
    pub fn docker(id: impl AsRef<str>, image: &str) -> Self {
        Self::new(id, Container::Docker(ContainerOptions::new(image)))
    }

    /// Sets how many replicas there are.
    #[must_use]
    pub fn replicas(mut self, replicas: u32) -> Self {
        self.container.options_mut().replicas = Some(replicas);
        self
    }

    /// Sets what is run in the container.
    #[must_use]
    pub fn run_command(mut self, command: &str) -> Self {
        self.container.options_mut().run_command = Some(command.to_owned());
        self
    }

    /// Gives the replicas addresses of their own, from this one on.
    #[must_use]
    pub fn addresses(mut self, first: &str) -> Self {
        self.network_mut().ip_range_start = Some(first.to_owned());
        self
    }

    /// Passes a port of the host on.
    #[must_use]
    pub fn port(mut self, port: u32) -> Self {
        self.network_mut().ports.push(PortMapping {
            id: None,
            port: Some(port),
            internal_port: None,
            range: None,
            rest: Rest::default(),
        });
        self
    }

    /// Lets the container see a file or folder of the host.
    #[must_use]
    pub fn mount(mut self, source: &str, target: &str, options: &str) -> Self {
        self.storage.mappings.push(StorageMapping {
            id: None,
            source_dir: Some(source.to_owned()),
            source_dir_root: None,
            target_dir: target.to_owned(),
            options: Some(options.to_owned()),
            rest: Rest::default(),
        });
        self
    }

    /// Sets what runs in it.
    #[must_use]
    pub fn primitive(mut self, primitive: Primitive) -> Self {
        self.primitive = Some(Box::new(primitive));
        self
    }

    /// Returns how it is reached, to change it.
    pub fn network_mut(&mut self) -> &mut BundleNetwork {
        self.network.get_or_insert_default()
    }
}

impl ContainerOptions {
    /// Makes the options of an image.
    #[must_use]
    pub fn new(image: &str) -> Self {
        Self {
            image: image.to_owned(),
            replicas: None,
            replicas_per_host: None,
            promoted_max: None,
            run_command: None,
            network: None,
            options: None,
            rest: Rest::default(),
        }
    }
}
