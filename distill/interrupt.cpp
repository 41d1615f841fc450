#include "distill/interrupt.h"

#include <csignal>
#include <unistd.h>

namespace retort {
namespace {

volatile std::sig_atomic_t requests = 0;

extern "C" void on_signal(int signal) {
  requests = requests + 1;
  if (requests > 1) _exit(128 + signal);
}

}  // namespace

void install_interrupt_handlers() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return requests > 0; }

}  // namespace retort
