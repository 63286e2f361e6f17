/* guard.c: leaves a usable terminal behind when the process dies of a signal.
 *
 * A crash inside native code (an environment of a stranger, say) must not leave the user in the
 * alternate screen without echo and cursor. The handler here does only what is allowed in a signal
 * handler: it writes prepared bytes, restores the terminal's settings, and hands the signal on to
 * whoever handled it before, so that Python's own report still reaches the log.
 */
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define PUFF_EXPORT __attribute__((visibility("default")))

enum { MESSAGE = 2048, SIGNALS = 5 };

static const int numbers[SIGNALS] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
static const char* const names[SIGNALS] = {
    "segmentation fault", "bus error", "arithmetic error", "illegal instruction", "abort",
};

/* Cursor shown, mouse off, focus reports off, bracketed paste off, in-band resize off, line wrap
 * on, synchronised output off, keyboard protocol popped, alternate screen left, colours reset. */
static const char restore[] =
    "\x1b[?2026l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l\x1b[?1004l"
    "\x1b[?2004l\x1b[?2048l\x1b[<u\x1b[?1049l\x1b[?7h\x1b[?25h\x1b[0m\r";

static struct {
    int terminal; /* ours alone, -1 while disarmed */
    int shared;   /* what the application writes to, silenced first */
    int nothing;  /* /dev/null */
    int has_settings;
    struct termios settings;
    char message[MESSAGE];
    size_t length;
    struct sigaction before[SIGNALS];
} guard = {.terminal = -1, .shared = -1, .nothing = -1};

static void put(const char* bytes, size_t length) {
    while (length > 0) {
        const ssize_t written = write(guard.terminal, bytes, length);
        if (written <= 0) return;
        bytes += written;
        length -= (size_t)written;
    }
}

static void give_back(void) {
    /* Other threads go on for a moment: their output must not follow ours. */
    dup2(guard.nothing, guard.shared);
    put(restore, sizeof restore - 1);
    if (guard.has_settings) tcsetattr(guard.terminal, TCSANOW, &guard.settings);
}

static void on_signal(int number) {
    int which = 0;
    while (which < SIGNALS - 1 && numbers[which] != number) which++;
    if (guard.terminal >= 0) {
        give_back();
        put("\npufftui: ", 10);
        put(names[which], strlen(names[which]));
        put(guard.message, guard.length);
        guard.terminal = -1;
    }
    /* The signal is blocked until this handler returns, then it meets the handler before us. */
    sigaction(number, &guard.before[which], NULL);
    raise(number);
}

/* Gives the terminal back while the process goes on. What is written to the descriptor that was
 * given to puff_guard_arm goes nowhere from then on. */
PUFF_EXPORT void puff_guard_give_back(void) {
    if (guard.terminal >= 0) give_back();
}

/* Changes what follows the name of the signal, cut to what fits. */
PUFF_EXPORT void puff_guard_say(const char* message) {
    const size_t length = strlen(message);
    guard.length = 0; /* nothing rather than half of each, should it crash right now */
    memcpy(guard.message, message, length < MESSAGE ? length : MESSAGE);
    guard.length = length < MESSAGE ? length : MESSAGE;
}

/* Takes over the signals. `terminal` is the descriptor that the application writes its screen to;
 * `message` follows the name of the signal, cut to what fits. Returns 0, or -1 if the terminal
 * cannot be used. Call it before the application changes the terminal. */
PUFF_EXPORT int puff_guard_arm(int terminal, const char* message) {
    if (guard.terminal >= 0) return -1;
    guard.shared = terminal;
    guard.nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    const int own = fcntl(terminal, F_DUPFD_CLOEXEC, 3);
    if (own < 0 || guard.nothing < 0) return -1;
    guard.has_settings = tcgetattr(own, &guard.settings) == 0;
    puff_guard_say(message);
    guard.terminal = own;
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < SIGNALS; i++) sigaction(numbers[i], &action, &guard.before[i]);
    return 0;
}

/* Gives the signals back. */
PUFF_EXPORT void puff_guard_disarm(void) {
    if (guard.terminal < 0) return;
    for (int i = 0; i < SIGNALS; i++) sigaction(numbers[i], &guard.before[i], NULL);
    close(guard.terminal);
    close(guard.nothing);
    guard.terminal = -1;
}
