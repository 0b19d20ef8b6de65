//! Terms of the trade, for `explain`.

/// A term.
#[derive(Debug)]
pub struct Term {
    /// Its name.
    pub name: &'static str,
    /// What else it is called.
    pub aliases: &'static [&'static str],
    /// RFCs to read, with the section.
    pub rfc: &'static str,
    /// What it means.
    pub text: &'static str,
    /// Options and fields it has to do with.
    pub see: &'static [&'static str],
    /// A command line that shows it.
    pub try_it: &'static str,
}

macro_rules! terms {
    ($($name:literal [$($alias:literal)*] $rfc:literal $text:literal [$($see:literal)*] $try_it:literal;)*) => {
        /// Every term.
        pub static TERMS: &[Term] = &[$(Term {
            name: $name,
            aliases: &[$($alias),*],
            rfc: $rfc,
            text: $text,
            see: &[$($see),*],
            try_it: $try_it,
        }),*];
    };
}

terms! {
    "DORA" ["handshake" "discover offer request ack"] "2131 section 3.1"
        "The four messages of a new lease: the client's DISCOVER finds servers, each OFFER proposes an address, the REQUEST takes one of them (and tells the others that it does), the ACK makes it a lease."
        ["message-type" "server-id" "requested-ip"] "dhcpcraft dora";
    "DISCOVER" ["dhcpdiscover"] "2131 section 4.4.1"
        "A client's broadcast to find servers. It may name the address and lease time it would like, and lists the options it wants."
        ["request-list" "requested-ip" "client-id"] "dhcpcraft discover --wait";
    "OFFER" ["dhcpoffer"] "2131 section 4.3.1"
        "A server's proposal of an address, kept for the client for a short while. Several servers may offer; none is bound until it acknowledges."
        ["yiaddr" "server-id" "lease-time"] "dhcpcraft offer --dry-run --format tree";
    "REQUEST" ["dhcprequest"] "2131 section 4.3.2"
        "Takes an offer (server-id and requested-ip set), confirms an address after a reboot (requested-ip alone), or extends a lease (ciaddr alone): the fields filled in tell which."
        ["server-id" "requested-ip" "ciaddr"] "dhcpcraft request --requested-ip 192.0.2.100";
    "ACK" ["dhcpack"] "2131 section 4.3.1"
        "The server's word that the address is leased, with the options that hold for as long as the lease does. The answer to an INFORM is an ACK too, without an address."
        ["lease-time" "renewal-time" "rebinding-time"] "dhcpcraft dora --print lease-time";
    "NAK" ["dhcpnak" "refusal"] "2131 section 4.3.2"
        "A server's refusal of a REQUEST: the address belongs to another network, to somebody else, or is no longer known. The client begins again. Always broadcast, or sent to the relay agent with the broadcast flag set."
        ["message"] "dhcpcraft dora -i lab:nak";
    "DECLINE" ["dhcpdecline" "address conflict" "duplicate address"] "2131 section 3.1, 4.4.1"
        "The client found the address in use, usually by ARP, and refuses it. The server sets the address aside; the client waits at least ten seconds before it begins again."
        ["requested-ip" "server-id"] "dhcpcraft dora -i lab:taken --probe";
    "RELEASE" ["dhcprelease"] "2131 section 4.4.6"
        "The client gives its address back, by unicast to the server that leased it. There is no answer."
        ["ciaddr" "server-id"] "dhcpcraft release --ciaddr 192.0.2.100 --server-id 192.0.2.1";
    "INFORM" ["dhcpinform"] "2131 section 3.4, 4.3.5"
        "A host that has an address already asks for the other options only. The ACK goes to ciaddr and has neither yiaddr nor lease time."
        ["ciaddr" "request-list"] "dhcpcraft inform --ciaddr 192.0.2.10";
    "FORCERENEW" ["dhcpforcerenew" "reconfigure"] "3203, 6704"
        "A server's demand that the client renew its lease now. Clients obey it only with authentication."
        ["authentication" "forcerenew-nonce-capable"] "dhcpcraft craft --type forcerenew --ciaddr 192.0.2.100 --dry-run";
    "LEASEQUERY" ["dhcpleasequery"] "4388"
        "A relay agent asks a server who holds an address, or which address a MAC or client identifier holds. The answer is LEASEACTIVE, LEASEUNASSIGNED or LEASEUNKNOWN."
        ["client-last-transaction-time" "associated-ip" "giaddr"] "dhcpcraft craft --type leasequery --ciaddr 192.0.2.100 --giaddr 192.0.2.2 --dry-run";
    "lease" ["lease time" "binding" "bound"] "2131 section 1.4, 4.3.1"
        "The right to use an address for a time. The server's record of it, address to client, is the binding."
        ["lease-time" "renewal-time" "rebinding-time"] "dhcpcraft dora";
    "T1" ["renewal time" "renewing"] "2131 section 4.4.5"
        "When the client begins to renew: half of the lease unless the server says otherwise. In RENEWING it asks its own server by unicast, with its address in ciaddr."
        ["renewal-time" "ciaddr"] "dhcpcraft dora --print renewal-time";
    "T2" ["rebinding time" "rebinding"] "2131 section 4.4.5"
        "When the client gives up on its own server and asks any, by broadcast: seven eighths of the lease unless the server says otherwise. After the lease ends it must stop using the address."
        ["rebinding-time" "ciaddr"] "dhcpcraft dora --print rebinding-time";
    "INIT-REBOOT" ["init reboot" "rebooting"] "2131 section 3.2, 4.3.2"
        "A client that remembers an address asks to keep it: a broadcast REQUEST with requested-ip, without server-id and with ciaddr zero. A server that knows nothing of it stays silent."
        ["requested-ip"] "dhcpcraft request --requested-ip 192.0.2.100";
    "client states" ["state machine" "figure 5"] "2131 section 4.4"
        "INIT, SELECTING, REQUESTING, BOUND, RENEWING, REBINDING, INIT-REBOOT and REBOOTING: what a client is doing decides which fields of its REQUEST are filled in."
        ["ciaddr" "requested-ip" "server-id"] "dhcpcraft dora";
    "relay agent" ["relay" "dhcp relay" "ip helper"] "1542, 2131 section 4.1, 3046"
        "A router or switch that carries messages between a subnet and servers elsewhere. It writes its own address into giaddr, counts hops, may add option 82, and gets the replies on port 67."
        ["giaddr" "hops" "relay-info"] "dhcpcraft discover --giaddr 198.51.100.1";
    "giaddr selection" ["subnet selection" "pool selection"] "2131 section 4.3.1, 3011, 3527"
        "A server picks the subnet by giaddr, or by the interface the message came in on when giaddr is zero. Option 118 and the link-selection sub-option of 82 override it."
        ["giaddr" "subnet-selection" "relay-info"] "dhcpcraft discover --giaddr 198.51.100.1";
    "option 82" ["relay agent information" "circuit id" "remote id"] "3046"
        "What the relay agent knows and the client does not say: port, VLAN, subscriber. The server returns it unchanged and last, the relay agent takes it out again. Its sub-options have neither padding nor end."
        ["relay-info"] "dhcpcraft discover --giaddr 198.51.100.1 --relay-info 'circuit-id=\"ge-0/0/1\"'";
    "broadcast flag" ["broadcast bit" "b flag"] "2131 section 4.1, 1542 section 3.1.1"
        "The top bit of flags. A client sets it when it cannot take unicast IP before it has an address; servers and relay agents then broadcast their replies. The other 15 bits are zero."
        ["flags"] "dhcpcraft discover --broadcast";
    "delivery" ["reply delivery" "unicast reply"] "2131 section 4.1"
        "Where a server's reply goes: to giaddr on port 67 if it is set; to ciaddr if that is set; by broadcast if the flag is set; else to yiaddr at chaddr, without ARP. A NAK is broadcast."
        ["giaddr" "ciaddr" "flags" "yiaddr"] "dhcpcraft explain giaddr";
    "client identifier" ["client id" "client identity"] "2131 section 4.2, 2132 section 9.14, 4361, 6842"
        "Who the client is: option 61 when it is sent, else htype and chaddr. It must be unique on the subnet and always the same. Servers return it."
        ["client-id" "chaddr"] "dhcpcraft discover --client-id lab-client";
    "option overload" ["overload" "overloading"] "2132 section 9.3, 2131 section 4.1, 3396"
        "When the options field is too small, file and sname can hold options as well; option 52 says which. A reader takes the options field first, then file, then sname, and joins what was split."
        ["overload" "file" "sname"] "dhcpcraft offer --overload file --dry-run --format tree";
    "option splitting" ["long options" "rfc 3396" "concatenation"] "3396"
        "An option of more than 255 bytes is sent as several of the same code, and the reader joins them in order. What is split is a mere stretch of bytes: pieces need not end where items end."
        ["domain-search" "classless-routes"] "dhcpcraft discover -o vendor-class:hex=$(printf '41%.0s' $(seq 300)) --dry-run";
    "magic cookie" ["cookie"] "2131 section 3, 1497"
        "The four bytes 99.130.83.99 (63 82 53 63) behind the BOOTP header: DHCP options follow. Without them, the rest is a vendor area of BOOTP's."
        ["message-type"] "dhcpcraft discover --dry-run --format hex";
    "BOOTP" ["bootstrap protocol"] "951, 1542, 1534"
        "DHCP's ancestor and frame: one request, one reply, no lease. A message without option 53 is BOOTP."
        ["message-type" "op"] "dhcpcraft craft --type bootp --dry-run";
    "minimum size" ["padding" "300 bytes" "pad"] "951, 1542 section 2.1"
        "BOOTP messages have at least 300 bytes: the header and a vendor area of 64. Old relay agents and clients drop shorter ones, so DHCP messages are padded with zeros behind END."
        ["pad" "end"] "dhcpcraft discover --dry-run --format tree";
    "maximum size" ["max message size" "message size"] "2131 section 2, 2132 section 9.10"
        "Every client takes messages of 576 bytes, IP and UDP headers included: 312 bytes of options. Option 57 says how much more it takes; a server that needs more room overloads file and sname."
        ["max-message-size" "overload"] "dhcpcraft discover -o max-message-size=576";
    "retransmission" ["backoff" "retry" "timeout"] "2131 section 4.1"
        "An unanswered client sends again after 4, 8, 16, 32 and then 64 seconds, each up to one second more or less by chance, so that many clients do not speak at once. secs counts up meanwhile."
        ["secs" "xid"] "dhcpcraft dora -i lab:silent";
    "xid" ["transaction id"] "2131 section 2, 4.4.1"
        "The number that ties replies to requests. Random, chosen by the client; a reply belongs to a client only when xid and chaddr both match, because broadcasts reach all and numbers collide."
        ["chaddr"] "dhcpcraft discover --xid 0x12345678";
    "chaddr and Ethernet source" ["source mac" "spoofed mac"] "2131 section 2"
        "chaddr inside the message and the source address of the frame are usually the same, and need not be. Access points and switches may drop foreign source addresses; with a foreign chaddr ask for broadcast replies."
        ["chaddr" "flags"] "dhcpcraft discover --chaddr random --src-mac native";
    "rapid commit" ["two message exchange"] "4039"
        "A DISCOVER with option 80 may be answered by an ACK at once: two messages in place of four. Only where one server serves the subnet, because nobody tells the others."
        ["rapid-commit"] "dhcpcraft dora -o rapid-commit";
    "classless routes" ["static routes" "option 121"] "3442"
        "Option 121 gives routes with masks of any length. A client that takes it ignores the routers of option 3, so a default route must be among the classless ones; a client asks for both, 121 first."
        ["classless-routes" "router" "ms-classless-routes"] "dhcpcraft offer -o 'classless-routes=0.0.0.0/0>192.0.2.1' --dry-run";
    "PXE" ["network boot" "netboot"] "4578, 5071"
        "Booting from the network: the client tells its architecture (93), interface (94) and UUID (97), and its vendor class begins with PXEClient. The server answers with next server and boot file."
        ["client-arch" "client-ndi" "client-uuid" "vendor-class" "bootfile-name" "siaddr"] "dhcpcraft discover -o client-arch=x64-uefi --vendor-class PXEClient";
    "server identifier" ["server identity"] "2131 section 4.3, 2132 section 9.7"
        "Option 54: which server speaks, and which one a REQUEST means. siaddr is not it: that is the next server of the boot process."
        ["server-id" "siaddr"] "dhcpcraft discover --print server-id";
    "rogue server" ["second server" "unwanted server"] "3118"
        "DHCP believes whoever answers first, and has no security of its own in use. Looking at all answers shows who speaks on a segment; switches guard against it with DHCP snooping."
        ["server-id"] "dhcpcraft discover -i lab:two-servers --wait";
    "DHCP snooping" ["snooping"] "7513"
        "A switch lets server messages in only from trusted ports, and remembers which address belongs to which port. An OFFER that never arrives may have come in on a port that is not trusted."
        ["relay-info"] "dhcpcraft discover --wait --timeout 10s";
    "starvation" ["pool exhaustion" "address exhaustion"] "2131 section 7"
        "Leases taken under many hardware addresses until a pool is empty. A server without free addresses stays silent, which looks like no server."
        ["chaddr"] "dhcpcraft discover --chaddr random --count 3";
}
