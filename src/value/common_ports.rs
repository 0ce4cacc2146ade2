//! The ports that `common` stands for.

/// The TCP ports that we most expect a server to listen on: the services of the Internet, of
/// offices, of data centres and of developers' own machines. Ascending.
pub(super) const COMMON: [u16; 100] = [
    21, 22, 23, 25, 53, 79, 80, 88, 110, 111, // ftp, ssh, mail, web, Kerberos, rpcbind
    113, 119, 135, 139, 143, 179, 389, 427, 443, 445, // NetBIOS, IMAP, BGP, LDAP, https, SMB
    465, 500, 502, 513, 514, 515, 543, 548, 554,
    587, // submission, Modbus, shells, printing, AFP
    631, 636, 853, 873, 902, 989, 990, 993, 995, 1080, // ipp, DNS over TLS, rsync, SOCKS
    1194, 1433, 1521, 1723, 1883, 2049, 2181, 2222, 2375, 2379, // VPN, SQL, MQTT, NFS, etcd
    3000, 3128, 3268, 3306, 3389, 4222, 4369, 4443, 5000,
    5060, // proxies, MySQL, RDP, NATS, SIP
    5173, 5201, 5222, 5432, 5555, 5601, 5671, 5672, 5900,
    5985, // iperf, XMPP, PostgreSQL, AMQP, VNC
    6000, 6379, 6443, 6667, 7000, 7077, 8000, 8006, 8008,
    8080, // X11, Redis, Kubernetes, IRC, web
    8081, 8086, 8123, 8200, 8333, 8443, 8500, 8883, 8888,
    9000, // InfluxDB, Vault, Consul, MQTT
    9042, 9090, 9092, 9100, 9200, 10000, 10250, 11211, 27017,
    32400, // Kafka, Elastic, MongoDB
];

/// The UDP ports that we most expect to answer: names, time, management, discovery, telephony, and
/// private networks. Ascending.
pub(super) const COMMON_UDP: [u16; 38] = [
    7, 53, 67, 69, 88, 111, 123, 137, // echo, DNS, DHCP, TFTP, Kerberos, NTP, NetBIOS
    138, 161, 389, 443, 464, 500, 514, 520, 623, 1194, // SNMP, CLDAP, QUIC, IKE, RIP, IPMI
    1434, 1645, 1701, 1812, 1900, 2049, 3478, 3702, 4500, 5004, // SQL, RADIUS, SSDP, STUN
    5060, 5353, 5355, 5683, 10001, 11211, 17185, 33434, 47808,
    51820, // SIP, mDNS, CoAP, BACnet
];
