# The names of interfaces are asked of this machine.
_nettool_interfaces() {
    local -a names
    names=("${(@f)$(command nettool ifaces --names 2>/dev/null)}")
    compadd -a names
}

