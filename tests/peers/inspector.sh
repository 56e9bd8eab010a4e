#!/bin/sh
# The MCP Inspector's command line, against a stdio server.
#
#   inspector.sh --method tools/list -- COMMAND [ARG…]
#   inspector.sh --method tools/call --tool-name add --tool-arg a=2 --tool-arg b=3 -- COMMAND [ARG…]
#
# The answer is JSON on stdout; exit code 0 if the call was answered.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# By a configuration file: on the Inspector's own command line options of COMMAND can be taken for its own,
# and of the environment only a handful of variables would reach COMMAND.
node -e '
  const words = process.argv.slice(1);
  const at = words.indexOf("--") + 1;
  if (at === 0 || at === words.length) {
    console.error("usage: inspector.sh OPTION… -- COMMAND [ARG…]");
    process.exit(2);
  }
  const peer = { command: words[at], args: words.slice(at + 1), env: { ...process.env } };
  console.log(JSON.stringify({ mcpServers: { peer } }));
' -- "$@" >"$work/servers.json"

# Leaves only the options in "$@".
command_begins=
for word; do
  shift
  if [ "$word" = -- ]; then command_begins=yes; fi
  if [ -z "$command_begins" ]; then set -- "$@" "$word"; fi
done

# memory: the Inspector would keep secrets of its own in the keychain that is under test.
MCP_INSPECTOR_SECRET_STORE=memory \
  "$here/node_modules/.bin/inspector" --cli --config "$work/servers.json" --server peer "$@"
