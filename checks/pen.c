/* A pen and who hands it pieces, under ThreadSanitizer: signals and forks at every moment, faults of files, a pen that is put
 * away while it is full. Run by kernel.py; says nothing where all is well.
 */
#define _DEFAULT_SOURCE
#include "../src/tenbin/compiled/pen.c"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

enum { ROUNDS = 8, PIECES = 200, LARGEST = 70000, LIMIT = 5000 };

#define REQUIRE(is_so) \
    if (!(is_so)) fprintf(stderr, "pen.c:%d: not so: %s\n", __LINE__, #is_so), exit(1)

static void wake(int signal) { (void)signal; }

/* What the pen rings with. */
static Outcome heard(int bell) {
    Outcome outcome;
    ssize_t got;
    while ((got = read(bell, &outcome, sizeof outcome)) < 0) REQUIRE(errno == EINTR);
    REQUIRE(got == sizeof outcome);
    return outcome;
}

static void fork_once(void) {
    pid_t child = fork();
    if (!child) _exit(0);
    while (waitpid(child, NULL, 0) < 0) REQUIRE(errno == EINTR);
}

static void write_pieces(Pen *pen, int bell, const char *path) {
    int file = -1;
    for (int64_t i = 0, at = 0; i < PIECES; i++) {
        if (i % 20 == 0) { /* a new segment */
            if (file >= 0) close(file);
            file = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600), at = 0;
        }
        int64_t length = i * 7919 % LARGEST;
        char *data = memset(malloc((size_t)length + 1), (int)i, (size_t)length + 1);
        tenbin_hand_to_pen(pen, file, data, length, at);
        if (i % 50 == 0) fork_once();
        Outcome outcome = heard(bell);
        REQUIRE(outcome.written == length && !outcome.fault);
        memset(data, 0, (size_t)length); /* is the caller's again */
        free(data);
        at += length;
    }
    close(file);
}

static void meet_faults(Pen *pen, int bell, int file) {
    static char data[2 * LIMIT];
    struct rlimit before, low;
    getrlimit(RLIMIT_FSIZE, &before);
    low = before, low.rlim_cur = LIMIT;
    setrlimit(RLIMIT_FSIZE, &low);
    tenbin_hand_to_pen(pen, file, data, sizeof data, 0);
    Outcome outcome = heard(bell);
    REQUIRE(outcome.written == LIMIT && outcome.fault == EFBIG);
    setrlimit(RLIMIT_FSIZE, &before);
    tenbin_hand_to_pen(pen, -1, data, sizeof data, 0);
    outcome = heard(bell);
    REQUIRE(!outcome.written && outcome.fault == EBADF);
    tenbin_hand_to_pen(pen, file, NULL, sizeof data, 0);
    outcome = heard(bell);
    REQUIRE(!outcome.written && outcome.fault == EFAULT);
}

int main(int count, char **arguments) {
    REQUIRE(count == 2);
    struct sigaction action = {.sa_handler = wake};
    struct itimerval often = {{0, 300}, {0, 300}};
    sigaction(SIGALRM, &action, NULL);
    signal(SIGXFSZ, SIG_IGN);
    setitimer(ITIMER_REAL, &often, NULL);
    for (int round = 0; round < ROUNDS; round++) {
        int ends[2];
        Pen *pen;
        REQUIRE(!pipe(ends) && !tenbin_open_pen(&pen, ends[1]));
        write_pieces(pen, ends[0], arguments[1]);
        int file = open(arguments[1], O_RDWR | O_TRUNC);
        meet_faults(pen, ends[0], file);
        char *data = calloc(1, LARGEST);
        tenbin_hand_to_pen(pen, file, data, LARGEST, 0);
        tenbin_close_pen(pen);
        REQUIRE(heard(ends[0]).written == LARGEST);
        free(data), close(file), close(ends[0]), close(ends[1]);
    }
    return 0;
}
