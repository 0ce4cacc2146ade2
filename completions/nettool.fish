# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_nettool_global_optspecs
    string join \n json color= q/quiet v/verbose n/numeric h/help V/version
end

function __fish_nettool_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_nettool_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_nettool_using_subcommand
    set -l cmd (__fish_nettool_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c nettool -n "__fish_nettool_needs_command" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Everywhere'
never\t'Nowhere'"
complete -c nettool -n "__fish_nettool_needs_command" -l json -d 'Print records, one JSON object a line'
complete -c nettool -n "__fish_nettool_needs_command" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c nettool -n "__fish_nettool_needs_command" -s v -l verbose -d 'Tell more; twice: still more'
complete -c nettool -n "__fish_nettool_needs_command" -s n -l numeric -d 'Never look a name up: hosts are addresses'
complete -c nettool -n "__fish_nettool_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nettool -n "__fish_nettool_needs_command" -s V -l version -d 'Print version'
complete -c nettool -n "__fish_nettool_needs_command" -f -a "ifaces" -d 'Show the network interfaces of this machine and their addresses'
complete -c nettool -n "__fish_nettool_needs_command" -f -a "connect" -d 'Connect to a server: stdin goes to it, its bytes to stdout'
complete -c nettool -n "__fish_nettool_needs_command" -f -a "listen" -d 'Wait for a client: stdin goes to it, its bytes to stdout; or serve many'
complete -c nettool -n "__fish_nettool_needs_command" -f -a "probe" -d 'Find out which ports are open, and why the others are not'
complete -c nettool -n "__fish_nettool_needs_command" -f -a "buffers" -d 'Show how much the buffers of sockets hold, and what decides on it'
complete -c nettool -n "__fish_nettool_needs_command" -f -a "man" -d 'Print a manual page'
complete -c nettool -n "__fish_nettool_needs_command" -f -a "completions" -d 'Print the completions of a shell'
complete -c nettool -n "__fish_nettool_using_subcommand ifaces" -l for -d 'Show source, interface and gateway towards a host' -r
complete -c nettool -n "__fish_nettool_using_subcommand ifaces" -l every -d 'Time between two looks of --watch' -r
complete -c nettool -n "__fish_nettool_using_subcommand ifaces" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Everywhere'
never\t'Nowhere'"
complete -c nettool -n "__fish_nettool_using_subcommand ifaces" -s b -l brief -d 'A line an interface: name, state, addresses'
complete -c nettool -n "__fish_nettool_using_subcommand ifaces" -s s -l stats -d 'Show bytes, packets, errors and drops, received and sent'
complete -c nettool -n "__fish_nettool_using_subcommand ifaces" -l names -d 'Print names alone, one a line'
complete -c nettool -n "__fish_nettool_using_subcommand ifaces" -l details -d 'Show lifetimes, links, drivers, flags and name servers too'
complete -c nettool -n "__fish_nettool_using_subcommand ifaces" -l default -d 'Show the same of the default routes'
complete -c nettool -n "__fish_nettool_using_subcommand ifaces" -l ip -d 'Print the source address alone'
complete -c nettool -n "__fish_nettool_using_subcommand ifaces" -l watch -d 'Show how fast bytes come and go, until a signal'
complete -c nettool -n "__fish_nettool_using_subcommand ifaces" -s 4 -d 'IPv4 addresses alone; interfaces without one are still shown'
complete -c nettool -n "__fish_nettool_using_subcommand ifaces" -s 6 -d 'IPv6 addresses alone; interfaces without one are still shown'
complete -c nettool -n "__fish_nettool_using_subcommand ifaces" -l up -d 'Leave out what is down'
complete -c nettool -n "__fish_nettool_using_subcommand ifaces" -l json -d 'Print records, one JSON object a line'
complete -c nettool -n "__fish_nettool_using_subcommand ifaces" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c nettool -n "__fish_nettool_using_subcommand ifaces" -s v -l verbose -d 'Tell more; twice: still more'
complete -c nettool -n "__fish_nettool_using_subcommand ifaces" -s n -l numeric -d 'Never look a name up: hosts are addresses'
complete -c nettool -n "__fish_nettool_using_subcommand ifaces" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nettool -n "__fish_nettool_using_subcommand ifaces" -s V -l version -d 'Print version'
complete -c nettool -n "__fish_nettool_using_subcommand connect" -s U -l unix -d 'A Unix socket instead of TCP' -r -F
complete -c nettool -n "__fish_nettool_using_subcommand connect" -s s -l source -d 'The address of this machine to connect from' -r
complete -c nettool -n "__fish_nettool_using_subcommand connect" -s p -l source-port -d 'The port to connect from; 0 lets the system pick' -r
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l interface -d 'Everything goes through this interface' -r
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l ttl -d 'Packets are dropped after N hops, 1 to 255' -r
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l dscp -d 'The class of traffic: ef, le, af11 to af43, cs0 to cs7, or 0 to 63' -r
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l keepalive -d 'Ask a silent peer after this long whether it is there, and again; forever: never' -r
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l send-buffer -d 'Bytes of the send buffer, which then does not grow by itself' -r
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l recv-buffer -d 'Bytes of the receive buffer, which then does not grow by itself' -r
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l idle-timeout -d 'Fail when nothing moves in either direction for this long' -r
complete -c nettool -n "__fish_nettool_using_subcommand connect" -s w -l timeout -d 'Give up when nothing happens for so long' -r
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l max-time -d 'Fail when the whole session takes longer' -r
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l quit-after -d 'Leave this long after the end of stdin' -r
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l connect-timeout -d 'Give up when no address answers in time' -r
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l retry -d 'Try again up to N times' -r
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l retry-delay -d 'Wait this long before the first retry, twice as long before each later one [default: 1s]' -r
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l until -d 'When to leave' -r -f -a "auto\t'As END OF FILE in the manual says [default]'
both\t'When both sides have ended'
peer\t'When the peer has ended'
stdin\t'When stdin has ended and everything is acknowledged'"
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l input -d 'Send this file instead of stdin' -r -F
complete -c nettool -n "__fish_nettool_using_subcommand connect" -s o -l output -d 'Write what comes into a new file instead of stdout' -r -F
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l max-bytes -d 'Carry at most this many bytes each way: then stdin is at its end, or we leave' -r
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l progress -d 'How to show on stderr how far it is' -r -f -a "auto\t'A bar on a terminal, where it is in nobody\'s way [default]'
bar\t'A bar, wherever stderr goes'
log\t'A line a second'
none\t'Not at all'"
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l size -d 'How many bytes it will be, where no file says so: for percent and time left' -r
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l checksum -d 'Print the checksum of what was sent and of what was received at the end' -r -f -a "sha256\t'As sha256sum prints it'
blake3\t'As b3sum prints it; several times as fast where the processor has no help for SHA-256'"
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l datagram-size -d 'Cut each read of stdin into datagrams of N bytes, the last one maybe shorter [default: 1400]' -r
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l multicast-join -d 'Receive what is sent to this multicast group; may be given again' -r
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l limit-rate -d 'Carry at most so many bytes a second' -r
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l delay -d 'Wait this long after each line that is sent' -r
complete -c nettool -n "__fish_nettool_using_subcommand connect" -s x -l hexdump -d 'Write all bytes, both ways, as hexadecimal into FILE; - is stderr' -r -F
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Everywhere'
never\t'Nowhere'"
complete -c nettool -n "__fish_nettool_using_subcommand connect" -s u -l udp -d 'Datagrams instead of a stream'
complete -c nettool -n "__fish_nettool_using_subcommand connect" -s 4 -d 'IPv4 alone'
complete -c nettool -n "__fish_nettool_using_subcommand connect" -s 6 -d 'IPv6 alone'
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l send-only -d 'Send stdin alone: its end is the end'
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l recv-only -d 'Receive alone: the peer\'s end is the end'
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l no-shutdown -d 'Do not shut the write half down at the end of stdin'
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l append -d 'Add to the file of --output if it exists'
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l force -d 'Replace the file of --output if it exists'
complete -c nettool -n "__fish_nettool_using_subcommand connect" -s C -l crlf -d 'Send each line end as CR LF'
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l raw -d 'Pass control sequences to the terminal as they come'
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l seqpacket -d 'With --unix: a connection that carries messages, their boundaries kept'
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l lines -d 'Send each line of stdin as a datagram, its end included'
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l broadcast -d 'Allow datagrams to an address that stands for everybody of a network'
complete -c nettool -n "__fish_nettool_using_subcommand connect" -s N -d 'Accepted for those who know nc: it is what happens anyway'
complete -c nettool -n "__fish_nettool_using_subcommand connect" -s z -d 'Belongs to another command'
complete -c nettool -n "__fish_nettool_using_subcommand connect" -l json -d 'Print records, one JSON object a line'
complete -c nettool -n "__fish_nettool_using_subcommand connect" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c nettool -n "__fish_nettool_using_subcommand connect" -s v -l verbose -d 'Tell more; twice: still more'
complete -c nettool -n "__fish_nettool_using_subcommand connect" -s n -l numeric -d 'Never look a name up: hosts are addresses'
complete -c nettool -n "__fish_nettool_using_subcommand connect" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nettool -n "__fish_nettool_using_subcommand connect" -s V -l version -d 'Print version'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -s U -l unix -d 'A Unix socket instead of TCP' -r -F
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l slow -d 'What becomes of a client that reads more slowly than the others' -r -f -a "drop\t'Its connection is reset, so that the others need not wait [default]'
wait\t'The others wait'"
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l reply -d 'Send TEXT for each read of what a client sends' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l reply-file -d 'Send what FILE holds for each read of what a client sends' -r -F
complete -c nettool -n "__fish_nettool_using_subcommand listen" -s e -l exec -d 'Run a program for each client' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -s c -l sh-exec -d 'Run a line of sh for each client, likewise' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l forward -d 'Connect each client to HOST:PORT, udp://HOST:PORT or unix:PATH' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l save -d 'Write what each client sends into a new file' -r -F
complete -c nettool -n "__fish_nettool_using_subcommand listen" -s m -l max-clients -d 'Turn away whoever comes while N clients are served' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l allow -d 'Serve clients of these networks alone' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l deny -d 'Turn clients of these networks away' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l allow-file -d 'Allow the networks that FILE lists, a line each' -r -F
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l deny-file -d 'Deny the networks that FILE lists, a line each' -r -F
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l interface -d 'Everything goes through this interface' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l ttl -d 'Packets are dropped after N hops, 1 to 255' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l dscp -d 'The class of traffic: ef, le, af11 to af43, cs0 to cs7, or 0 to 63' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l keepalive -d 'Ask a silent peer after this long whether it is there, and again; forever: never' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l send-buffer -d 'Bytes of the send buffer, which then does not grow by itself' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l recv-buffer -d 'Bytes of the receive buffer, which then does not grow by itself' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l idle-timeout -d 'Fail when nothing moves in either direction for this long' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -s w -l timeout -d 'Give up when nothing happens for so long' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l max-time -d 'Fail when the whole session takes longer' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l quit-after -d 'Leave this long after the end of stdin' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l accept-timeout -d 'Give up when no client comes in time' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l until -d 'When to leave' -r -f -a "auto\t'As END OF FILE in the manual says [default]'
both\t'When both sides have ended'
peer\t'When the peer has ended'
stdin\t'When stdin has ended and everything is acknowledged'"
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l input -d 'Send this file instead of stdin' -r -F
complete -c nettool -n "__fish_nettool_using_subcommand listen" -s o -l output -d 'Write what comes into a new file instead of stdout' -r -F
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l max-bytes -d 'Carry at most this many bytes each way: then stdin is at its end, or we leave' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l progress -d 'How to show on stderr how far it is' -r -f -a "auto\t'A bar on a terminal, where it is in nobody\'s way [default]'
bar\t'A bar, wherever stderr goes'
log\t'A line a second'
none\t'Not at all'"
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l size -d 'How many bytes it will be, where no file says so: for percent and time left' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l checksum -d 'Print the checksum of what was sent and of what was received at the end' -r -f -a "sha256\t'As sha256sum prints it'
blake3\t'As b3sum prints it; several times as fast where the processor has no help for SHA-256'"
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l datagram-size -d 'Cut each read of stdin into datagrams of N bytes, the last one maybe shorter [default: 1400]' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l multicast-join -d 'Receive what is sent to this multicast group; may be given again' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l to -d 'Of those heard within five minutes stdin goes to the first, the last or all [default: last]' -r -f -a "first\t'Whoever was heard first'
last\t'Whoever was heard last'
all\t'Everybody'"
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l limit-rate -d 'Carry at most so many bytes a second' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l delay -d 'Wait this long after each line that is sent' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -s x -l hexdump -d 'Write all bytes, both ways, as hexadecimal into FILE; - is stderr' -r -F
complete -c nettool -n "__fish_nettool_using_subcommand listen" -s p -l port -d 'The port, as nc has it' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l backlog -d 'Let N clients wait to be accepted, as far as the system allows' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l mode -d 'Who may use the path of --unix, as chmod has it in octal [default: 600]' -r
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l port-file -d 'Write the port into FILE as soon as a client can connect; it stays there' -r -F
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Everywhere'
never\t'Nowhere'"
complete -c nettool -n "__fish_nettool_using_subcommand listen" -s u -l udp -d 'Datagrams instead of a stream'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -s 4 -d 'IPv4 alone'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -s 6 -d 'IPv6 alone'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -s k -l keep-open -d 'Serve many clients at once, until a signal'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l tag -d 'Mark each line on stdout with the client that sent it'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l broker -d 'Every client hears all others'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l chat -d 'Every client hears all others, line by line, with names'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l echo -d 'Send each client its own bytes back'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l discard -d 'Read what clients send, and drop it'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l send-only -d 'Send stdin alone: its end is the end'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l recv-only -d 'Receive alone: the peer\'s end is the end'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l no-shutdown -d 'Do not shut the write half down at the end of stdin'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l append -d 'Add to the file of --output if it exists'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l force -d 'Replace the file of --output if it exists'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -s C -l crlf -d 'Send each line end as CR LF'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l raw -d 'Pass control sequences to the terminal as they come'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l seqpacket -d 'With --unix: a connection that carries messages, their boundaries kept'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l lines -d 'Send each line of stdin as a datagram, its end included'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l broadcast -d 'Allow datagrams to an address that stands for everybody of a network'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l reuse-port -d 'Share the port with other listeners of this user that also say so'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -s l -d 'Accepted for those who know nc: it is what happens anyway'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -l json -d 'Print records, one JSON object a line'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -s v -l verbose -d 'Tell more; twice: still more'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -s n -l numeric -d 'Never look a name up: hosts are addresses'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nettool -n "__fish_nettool_using_subcommand listen" -s V -l version -d 'Print version'
complete -c nettool -n "__fish_nettool_using_subcommand probe" -s p -l ports -d 'The ports, as 22,80,8000-8100,https,u:53' -r
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l exclude -d 'Leave these hosts, networks and ranges out, whoever names them' -r
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l exclude-ports -d 'Leave these ports out, of TCP and UDP unless t: or u: stands before them' -r
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l try-timeout -d 'The most that one try may take [default: what the round-trip times teach]' -r
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l tries -d 'How often a silent port is tried [default: as the losses on the path demand]' -r
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l rate -d 'The most probes a second' -r
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l concurrency -d 'The most connections under way at once [default: as the answers and open files allow]' -r
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l patience -d 'How long to ask hosts that limit their ICMP about silent UDP ports, at their own pace [default: 30s]' -r
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l deadline -d 'The most that everything may take; what is not known then is undetermined: exit status 3' -r
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l seed -d 'The same number gives the same order of ports [default: another order each time]' -r
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l source -d 'Probe from this address of ours, and only addresses of its family' -r
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l interface -d 'Probe by this interface alone' -r
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l show -d 'Ports of which states to list' -r -f -a "open\t'A connection was accepted'
closed\t'The host answered that nobody listens'
rejected\t'ICMP says that the port may not be reached'
filtered\t'Silence'
'open|filtered'\t'Silence over UDP'
unreachable\t'There is no way to the host'
undetermined\t'We could not find out'
all\t'Every state'"
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l wait -d 'Wait until all ports are open, at most so long' -r
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l hold -d 'It must still be so this much later' -r
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l count -d 'Connect so many times, and tell how long it takes' -r
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l every -d 'The time from one try to the next [default: 1s]' -r
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l shard -d 'Probe part I of N of all ports; every machine is given the same targets and the same --seed [default seed: 0]' -r
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l resume -d 'Go on where this file says that a run was stopped; a run that is stopped writes it, one that ends removes it' -r -F
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l merge -d 'Make one report of what runs with --json printed into these files' -r -F
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Everywhere'
never\t'Nowhere'"
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l all-addresses -d 'Probe every address of a name, not only the first that answers'
complete -c nettool -n "__fish_nettool_using_subcommand probe" -s 4 -d 'IPv4 alone'
complete -c nettool -n "__fish_nettool_using_subcommand probe" -s 6 -d 'IPv6 alone'
complete -c nettool -n "__fish_nettool_using_subcommand probe" -s u -l udp -d 'Ask over UDP, in the protocol of each port'
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l banner -d 'Read what open TCP ports say first'
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l ping -d 'Tell which hosts are up'
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l fast -d 'Do not slow down for a host that limits its resets: its closed ports may stay filtered'
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l plain -d 'One line a port: host addr port proto state errno errname rtt_us tries service, with tabs'
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l connect-ex -d 'One line a port: PORT ERRNO, as connect_ex of Python returns it'
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l all-open -d 'The exit status is 0 only if all ports are open'
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l any -d 'One open port is enough'
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l until-closed -d 'Wait until all ports are closed instead; silence does not count'
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l json -d 'Print records, one JSON object a line'
complete -c nettool -n "__fish_nettool_using_subcommand probe" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c nettool -n "__fish_nettool_using_subcommand probe" -s v -l verbose -d 'Tell more; twice: still more'
complete -c nettool -n "__fish_nettool_using_subcommand probe" -s n -l numeric -d 'Never look a name up: hosts are addresses'
complete -c nettool -n "__fish_nettool_using_subcommand probe" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nettool -n "__fish_nettool_using_subcommand probe" -s V -l version -d 'Print version'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and not __fish_seen_subcommand_from fill list advise watch" -l request -d 'Show what a program is granted that asks for this size' -r
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and not __fish_seen_subcommand_from fill list advise watch" -l require -d 'The same, and fail unless all of it is granted' -r
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and not __fish_seen_subcommand_from fill list advise watch" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Everywhere'
never\t'Nowhere'"
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and not __fish_seen_subcommand_from fill list advise watch" -l json -d 'Print records, one JSON object a line'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and not __fish_seen_subcommand_from fill list advise watch" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and not __fish_seen_subcommand_from fill list advise watch" -s v -l verbose -d 'Tell more; twice: still more'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and not __fish_seen_subcommand_from fill list advise watch" -s n -l numeric -d 'Never look a name up: hosts are addresses'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and not __fish_seen_subcommand_from fill list advise watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and not __fish_seen_subcommand_from fill list advise watch" -s V -l version -d 'Print version'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and not __fish_seen_subcommand_from fill list advise watch" -f -a "fill" -d 'Send to a peer that does not read until send would block, and show where the bytes are'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and not __fish_seen_subcommand_from fill list advise watch" -f -a "list" -d 'List the sockets of this machine with their queues and buffers'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and not __fish_seen_subcommand_from fill list advise watch" -f -a "advise" -d 'Say how large TCP\'s buffers must be to fill a path, and whether they may become so large'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and not __fish_seen_subcommand_from fill list advise watch" -f -a "watch" -d 'Watch TCP connections of this machine, and what holds each of them up'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from fill" -l proto -d 'What carries the bytes of a pair of our own' -r -f -a "tcp\t'A TCP connection'
udp\t'UDP datagrams'
unix\t'A Unix stream'"
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from fill" -l send-buffer -d 'Give the sender a send buffer of this size' -r
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from fill" -l recv-buffer -d 'Give the peer a receive buffer of this size' -r
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from fill" -l max-time -d 'Stop sending after this time, blocked or not' -r
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from fill" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Everywhere'
never\t'Nowhere'"
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from fill" -l drain -d 'Then read at the peer\'s end, and show how the bytes leave'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from fill" -s 4 -d 'IPv4 alone'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from fill" -s 6 -d 'IPv6 alone'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from fill" -l json -d 'Print records, one JSON object a line'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from fill" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from fill" -s v -l verbose -d 'Tell more; twice: still more'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from fill" -s n -l numeric -d 'Never look a name up: hosts are addresses'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from fill" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from fill" -s V -l version -d 'Print version'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from list" -s p -l port -d 'Sockets with one of these ports at either end' -r
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from list" -l state -d 'Sockets in one of these states' -r -f -a "established\t''
syn-sent\t''
syn-received\t''
fin-wait-1\t''
fin-wait-2\t''
time-wait\t''
unconnected\t''
close-wait\t''
last-ack\t''
listen\t''
closing\t''"
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from list" -l process -d 'Sockets of processes with this name, or of the one with this number' -r
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from list" -l sort -d 'What stands first' -r -f -a "none\t'The order of the system'
receive\t'What came and is not read'
send\t'What was sent and is not acknowledged'
drops\t'What there was no room for'"
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from list" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Everywhere'
never\t'Nowhere'"
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from list" -s t -l tcp -d 'TCP sockets; with -u and -x those too'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from list" -s u -l udp -d 'UDP sockets'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from list" -s x -l unix -d 'Unix sockets'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from list" -s l -l listening -d 'Sockets that take connections alone'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from list" -l json -d 'Print records, one JSON object a line'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Tell more; twice: still more'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from list" -s n -l numeric -d 'Never look a name up: hosts are addresses'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from list" -s V -l version -d 'Print version'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from advise" -l bandwidth -d 'Bytes a second that the path carries: 12500kB is 100 Mbit/s' -r
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from advise" -l rtt -d 'The time there and back' -r
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from advise" -l to -d 'Measure that time on a connection to this peer' -r
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from advise" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Everywhere'
never\t'Nowhere'"
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from advise" -l json -d 'Print records, one JSON object a line'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from advise" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from advise" -s v -l verbose -d 'Tell more; twice: still more'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from advise" -s n -l numeric -d 'Never look a name up: hosts are addresses'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from advise" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from advise" -s V -l version -d 'Print version'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from watch" -s p -l port -d 'Connections with one of these ports at either end' -r
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from watch" -l every -d 'Time between two looks' -r
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from watch" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Everywhere'
never\t'Nowhere'"
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from watch" -l json -d 'Print records, one JSON object a line'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from watch" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from watch" -s v -l verbose -d 'Tell more; twice: still more'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from watch" -s n -l numeric -d 'Never look a name up: hosts are addresses'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from watch" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from watch" -s V -l version -d 'Print version'
complete -c nettool -n "__fish_nettool_using_subcommand man" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Everywhere'
never\t'Nowhere'"
complete -c nettool -n "__fish_nettool_using_subcommand man" -l json -d 'Print records, one JSON object a line'
complete -c nettool -n "__fish_nettool_using_subcommand man" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c nettool -n "__fish_nettool_using_subcommand man" -s v -l verbose -d 'Tell more; twice: still more'
complete -c nettool -n "__fish_nettool_using_subcommand man" -s n -l numeric -d 'Never look a name up: hosts are addresses'
complete -c nettool -n "__fish_nettool_using_subcommand man" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nettool -n "__fish_nettool_using_subcommand man" -s V -l version -d 'Print version'
complete -c nettool -n "__fish_nettool_using_subcommand completions" -l color -d 'When to use colours' -r -f -a "auto\t'On a terminal, unless NO_COLOR is set'
always\t'Everywhere'
never\t'Nowhere'"
complete -c nettool -n "__fish_nettool_using_subcommand completions" -l json -d 'Print records, one JSON object a line'
complete -c nettool -n "__fish_nettool_using_subcommand completions" -s q -l quiet -d 'Say nothing on stderr but errors'
complete -c nettool -n "__fish_nettool_using_subcommand completions" -s v -l verbose -d 'Tell more; twice: still more'
complete -c nettool -n "__fish_nettool_using_subcommand completions" -s n -l numeric -d 'Never look a name up: hosts are addresses'
complete -c nettool -n "__fish_nettool_using_subcommand completions" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c nettool -n "__fish_nettool_using_subcommand completions" -s V -l version -d 'Print version'
# The names of interfaces are asked of this machine.
complete -c nettool -n "__fish_nettool_using_subcommand ifaces" -f -a "(command nettool ifaces --names 2>/dev/null)"
for asking in connect listen probe
    complete -c nettool -n "__fish_nettool_using_subcommand $asking" -l interface -x -a "(command nettool ifaces --names 2>/dev/null)"
end
# A list of ports may be one of these.
complete -c nettool -n "__fish_nettool_using_subcommand probe" -s p -l ports -x -a "common well-known registered dynamic all"
complete -c nettool -n "__fish_nettool_using_subcommand probe" -l exclude-ports -x -a "common well-known registered dynamic all"
complete -c nettool -n "__fish_nettool_using_subcommand buffers; and __fish_seen_subcommand_from list watch" -s p -l port -x -a "common well-known registered dynamic all"
complete -c nettool -n "__fish_nettool_using_subcommand probe" -a "common well-known registered dynamic all"
# Words that are no options.
complete -c nettool -n "__fish_nettool_using_subcommand man" -f -a "ifaces connect listen probe buffers buffers-fill buffers-list buffers-advise buffers-watch"
complete -c nettool -n "__fish_nettool_using_subcommand completions" -f -a "bash elvish fish powershell zsh"
