# The names of interfaces are asked of this machine.
_nettool_interfaces() {
    local -a names
    names=("${(@f)$(command nettool ifaces --names 2>/dev/null)}")
    compadd -a names
}

# A list of ports may be one of these.
_nettool_ports() {
    compadd common well-known registered dynamic all
}
_nettool_targets() {
    _nettool_ports
    _hosts
}
