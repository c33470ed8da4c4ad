#!/bin/sh
# The guestbook's front end. POST entry=TEXT stores a line through the master; GET reads them back from a replica.
# GET_HOSTS_FROM=env takes the Redis addresses from the service variables, anything else from DNS.
if [ "${GET_HOSTS_FROM:-dns}" = env ]; then
  master=$REDIS_MASTER_SERVICE_HOST; replica=$REDIS_SLAVE_SERVICE_HOST
else
  master=redis-master; replica=redis-slave
fi

# redis HOST COMMAND ARG...: sends one command as RESP and prints the reply, QUIT ends the connection.
redis() {
  host=$1; shift
  { printf '*%d\r\n' $#; for a in "$@"; do printf '$%d\r\n%s\r\n' ${#a} "$a"; done; printf '*1\r\n$4\r\nQUIT\r\n'; } \
    | timeout 5 nc "$host" 6379 | tr -d '\r'
}

answer() { printf 'Status: %s\r\nContent-Type: text/plain\r\nX-Served-By: %s\r\n\r\n' "$1" "$(hostname)"; }

case $REQUEST_METHOD in
POST)
  body=$(head -c "${CONTENT_LENGTH:-0}")
  entry=$(httpd -d "${body#entry=}")
  reply=$(redis "$master" RPUSH guestbook "$entry" | head -1)
  case $reply in
  :*) answer '200 OK'; echo "stored $entry" ;;
  *) answer '502 Bad Gateway'; echo "redis master $master: ${reply:-no answer}" ;;
  esac ;;
*)
  reply=$(redis "$replica" LRANGE guestbook 0 -1)
  case $reply in
  \**) answer '200 OK'; echo "$reply" | sed -e '1d' -e '/^\$/d' -e '/^+OK$/d' ;;
  *) answer '502 Bad Gateway'; echo "redis replica $replica: ${reply:-no answer}" ;;
  esac ;;
esac
