// The process that holds a pod's namespaces open: reaps orphans (it is PID 1 when the pod shares its PID namespace)
// and leaves at once when told to.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void reap(int signal) {
    (void)signal;
    while (waitpid(-1, 0, WNOHANG) > 0) {}
}

static void leave(int signal) {
    (void)signal;
    _exit(0);
}

int main(void) {
    struct sigaction on_child = {.sa_handler = reap, .sa_flags = SA_NOCLDSTOP};
    struct sigaction on_stop = {.sa_handler = leave};
    sigaction(SIGCHLD, &on_child, 0);
    sigaction(SIGINT, &on_stop, 0);
    sigaction(SIGTERM, &on_stop, 0);
    for (;;) pause();
}
