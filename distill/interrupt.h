// SIGINT and SIGTERM: the first asks the run to finish its step, save and stop; the second ends the program at once.
#pragma once

namespace retort {

void install_interrupt_handlers();
bool interrupted();

}  // namespace retort
