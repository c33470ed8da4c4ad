need_tools
say "kubectl and helm are in $TOOLS"
