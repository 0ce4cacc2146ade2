//! The services we know ourselves, for systems without `/etc/services`.

use super::service::Protocol;
use Carrier::{Both, Tcp, Udp};

/// The transports that a service uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Carrier {
    /// TCP alone.
    Tcp,
    /// UDP alone.
    Udp,
    /// Either.
    Both,
}

impl Carrier {
    /// Whether `protocol` is one of them.
    pub(super) fn has(self, protocol: Protocol) -> bool {
        match self {
            Self::Both => true,
            Self::Tcp => protocol == Protocol::Tcp,
            Self::Udp => protocol == Protocol::Udp,
        }
    }
}

/// Name, port and transports, by port: names of the IANA registry, and of well-known software that
/// never registered. The first name of a port is the one that is shown; names are unique.
#[rustfmt::skip]
pub(super) const KNOWN: &[(&str, u16, Carrier)] = &[
    ("echo", 7, Both), ("discard", 9, Both), ("daytime", 13, Both), ("qotd", 17, Both),
    ("chargen", 19, Both), ("ftp-data", 20, Tcp), ("ftp", 21, Tcp), ("ssh", 22, Tcp),
    ("telnet", 23, Tcp), ("smtp", 25, Tcp), ("time", 37, Both), ("whois", 43, Tcp),
    ("tacacs", 49, Both), ("domain", 53, Both), ("dns", 53, Both), ("bootps", 67, Udp),
    ("bootpc", 68, Udp), ("tftp", 69, Udp), ("gopher", 70, Tcp), ("finger", 79, Tcp),
    ("http", 80, Tcp), ("kerberos", 88, Both), ("pop3", 110, Tcp), ("sunrpc", 111, Both),
    ("auth", 113, Tcp), ("nntp", 119, Tcp), ("ntp", 123, Udp), ("epmap", 135, Both),
    ("netbios-ns", 137, Both), ("netbios-dgm", 138, Both), ("netbios-ssn", 139, Both),
    ("imap", 143, Tcp), ("snmp", 161, Udp), ("snmptrap", 162, Udp), ("bgp", 179, Tcp),
    ("irc", 194, Tcp), ("ldap", 389, Both), ("svrloc", 427, Both), ("https", 443, Both),
    ("microsoft-ds", 445, Both), ("kpasswd", 464, Both), ("submissions", 465, Tcp),
    ("isakmp", 500, Udp), ("mbap", 502, Tcp), ("exec", 512, Tcp), ("login", 513, Tcp),
    ("shell", 514, Tcp), ("syslog", 514, Udp), ("printer", 515, Tcp), ("ripng", 521, Udp),
    ("dhcpv6-client", 546, Udp), ("dhcpv6-server", 547, Udp), ("afpovertcp", 548, Tcp),
    ("rtsp", 554, Both), ("nntps", 563, Tcp), ("submission", 587, Tcp), ("ipp", 631, Both),
    ("ldaps", 636, Tcp), ("ldp", 646, Both), ("kerberos-adm", 749, Tcp), ("domain-s", 853, Both),
    ("iscsi", 860, Tcp), ("rsync", 873, Tcp), ("ftps-data", 989, Tcp), ("ftps", 990, Tcp),
    ("telnets", 992, Tcp), ("imaps", 993, Tcp), ("pop3s", 995, Tcp), ("socks", 1080, Tcp),
    ("openvpn", 1194, Both), ("ms-sql-s", 1433, Tcp), ("ms-sql-m", 1434, Udp),
    ("ncube-lm", 1521, Tcp), ("l2tp", 1701, Udp), ("pptp", 1723, Tcp), ("radius", 1812, Udp),
    ("radius-acct", 1813, Udp), ("mqtt", 1883, Tcp), ("ssdp", 1900, Udp), ("hsrp", 1985, Udp),
    ("nfs", 2049, Both), ("zookeeper", 2181, Tcp), ("docker", 2375, Tcp), ("docker-s", 2376, Tcp),
    ("etcd-client", 2379, Tcp), ("etcd-server", 2380, Tcp), ("squid", 3128, Tcp),
    ("iscsi-target", 3260, Tcp), ("msft-gc", 3268, Tcp), ("msft-gc-ssl", 3269, Tcp),
    ("mysql", 3306, Tcp), ("ms-wbt-server", 3389, Both), ("rdp", 3389, Both), ("stun", 3478, Both),
    ("svn", 3690, Tcp), ("nats", 4222, Tcp), ("epmd", 4369, Tcp), ("ipsec-nat-t", 4500, Udp),
    ("vxlan", 4789, Udp), ("iperf", 5001, Both), ("sip", 5060, Both), ("sips", 5061, Tcp),
    ("iperf3", 5201, Both), ("xmpp-client", 5222, Tcp), ("xmpp-server", 5269, Tcp),
    ("mdns", 5353, Udp), ("llmnr", 5355, Both), ("postgresql", 5432, Tcp), ("postgres", 5432, Tcp),
    ("amqps", 5671, Tcp), ("amqp", 5672, Tcp), ("coap", 5683, Both), ("coaps", 5684, Both),
    ("rfb", 5900, Tcp), ("vnc", 5900, Tcp), ("wsman", 5985, Tcp), ("wsmans", 5986, Tcp),
    ("x11", 6000, Tcp), ("geneve", 6081, Udp), ("redis", 6379, Tcp), ("kubernetes", 6443, Tcp),
    ("syslog-tls", 6514, Both), ("ircu", 6667, Tcp), ("ircs-u", 6697, Tcp), ("http-alt", 8080, Tcp),
    ("vault", 8200, Tcp), ("bitcoin", 8333, Tcp), ("https-alt", 8443, Tcp), ("consul", 8500, Tcp),
    ("secure-mqtt", 8883, Tcp), ("cassandra", 9042, Tcp), ("prometheus", 9090, Tcp),
    ("kafka", 9092, Tcp), ("hp-pdl-datastr", 9100, Tcp), ("bacula-dir", 9101, Tcp),
    ("elasticsearch", 9200, Tcp), ("git", 9418, Tcp), ("webmin", 10000, Tcp),
    ("kubelet", 10250, Tcp), ("memcached", 11211, Both), ("mongodb", 27017, Tcp),
    ("plex", 32400, Tcp), ("wireguard", 51820, Udp),
];
