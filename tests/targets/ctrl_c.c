/* Sends Ctrl-C to every program on its console, as the key does, and ends by it. With an argument it
   ignores it, and ends later with code 7. */
#include <windows.h>

static BOOL WINAPI ignore(DWORD event) {
    return TRUE;
}

int main(int count, char **arguments) {
    if (count > 1) {
        SetConsoleCtrlHandler(ignore, TRUE);
    }
    if (!GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0)) {
        return 1;
    }
    Sleep(1000);
    return 7;
}
