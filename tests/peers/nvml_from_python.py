"""Checks that Python's NVML bindings run on the fake library.

    pip install nvidia-ml-py
    cargo build -p fake-nvml
    python tests/peers/nvml_from_python.py target/debug/libfake_nvml.so

Other energy tools in Python run on the same curves in the same way: put the library into a folder
as `libnvidia-ml.so.1`, a `script.json` beside it, and the folder into `LD_LIBRARY_PATH`.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

SCRIPT = {
    "devices": [
        {
            "name": "NVIDIA A100-SXM4-40GB",
            "uuid": "GPU-0123abcd-0000-0000-0000-000000000000",
            "bus_id": "00000000:3B:00.0",
            "curve": {"constant": 250.0},
            "processes": [{"pid": 4242, "sm": 70}],
        },
        {"fails": {"nvmlDeviceGetTotalEnergyConsumption": 3}},
    ]
}


def check(folder: Path) -> None:
    import pynvml

    def set_time(seconds: float) -> None:
        (folder / "time").write_text(str(seconds))

    set_time(0)
    pynvml.nvmlInit()
    assert pynvml.nvmlDeviceGetCount() == 2
    gpu, bare = (pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(2))
    assert pynvml.nvmlDeviceGetName(gpu) == "NVIDIA A100-SXM4-40GB"
    assert pynvml.nvmlDeviceGetUUID(gpu).startswith("GPU-0123abcd")
    assert pynvml.nvmlDeviceGetPciInfo(gpu).bus == 0x3B
    assert pynvml.nvmlDeviceGetPowerUsage(gpu) == 250_000
    assert pynvml.nvmlDeviceGetEnforcedPowerLimit(gpu) == 400_000
    assert pynvml.nvmlDeviceGetTemperature(gpu, pynvml.NVML_TEMPERATURE_GPU) == 45
    assert pynvml.nvmlDeviceGetMemoryInfo(gpu).total == 40 << 30
    assert pynvml.nvmlDeviceGetUtilizationRates(gpu).gpu == 70
    assert [p.pid for p in pynvml.nvmlDeviceGetComputeRunningProcesses(gpu)] == [4242]
    (field,) = pynvml.nvmlDeviceGetFieldValues(gpu, [186])
    assert field.nvmlReturn == 0 and field.value.uiVal == 250_000

    before = pynvml.nvmlDeviceGetTotalEnergyConsumption(gpu)
    set_time(10)
    energy = pynvml.nvmlDeviceGetTotalEnergyConsumption(gpu) - before
    assert energy == 2_500_000, energy
    try:
        pynvml.nvmlDeviceGetTotalEnergyConsumption(bare)
    except pynvml.NVMLError_NotSupported:
        pass
    else:
        raise AssertionError("the second device has no counter")
    pynvml.nvmlShutdown()
    print("ok: pynvml runs on the fake library")


def main() -> None:
    if len(sys.argv) == 3:  # Called by itself, with the library path in place.
        check(Path(sys.argv[2]))
        return
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(sys.argv[1], folder / "libnvidia-ml.so.1")
        script = SCRIPT | {"time_file": str(folder / "time")}
        (folder / "script.json").write_text(json.dumps(script))
        # The loader reads the variable when a process starts.
        environment = os.environ | {"LD_LIBRARY_PATH": name}
        arguments = [sys.executable, __file__, sys.argv[1], name]
        sys.exit(os.spawnve(os.P_WAIT, sys.executable, arguments, environment))


if __name__ == "__main__":
    main()
