// One process a folder: whoever comes second is told who is there.
#pragma once

#include <string>

namespace retort {

class FolderLock {
 public:
  /// Makes the folder if needed and locks it until the end. Throws Error(output): "FOLDER is in use by process 4711 on
  /// host since ...", or why it cannot be locked. A process that was killed holds no lock.
  explicit FolderLock(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  std::string path_;
  int file_ = -1;
};

}  // namespace retort
