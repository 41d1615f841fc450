// Files that are written whole or not at all.
#pragma once

#include <cstddef>
#include <string>

namespace retort {

/// Whether a file must survive a power failure, or only never be seen half written.
enum class Durability { synced, renamed };

/// Writes PATH.tmp, syncs it, renames it over PATH and syncs the folder. Throws Error(output) that names the path and
/// the system's reason, removes the temporary file, and leaves an existing PATH untouched.
void write_file_atomically(const std::string& path, const void* data, std::size_t bytes,
                           Durability durability = Durability::synced);
void write_file_atomically(const std::string& path, const std::string& text);

/// Appends in one write, for files that others follow while they grow. Throws Error(output) that names the path.
void append_to_file(const std::string& path, const std::string& text);

}  // namespace retort
