//! The C interface. Structures and numbers are those of `nvml.h`; of its functions there are those
//! that energy tools call.

// The names are NVML's, and each function's contract is that of `nvml.h`.
#![allow(non_snake_case, clippy::missing_safety_doc, clippy::too_many_lines)]
#![allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]

use std::ffi::{CStr, OsStr, c_char, c_int, c_uint, c_ulonglong, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::script::{Device, Script};

/// NVML's return codes.
type Code = c_uint;
const SUCCESS: Code = 0;
const UNINITIALIZED: Code = 1;
const INVALID_ARGUMENT: Code = 2;
const NOT_SUPPORTED: Code = 3;
const NOT_FOUND: Code = 6;
const INSUFFICIENT_SIZE: Code = 7;
const GPU_IS_LOST: Code = 15;
const UNKNOWN: Code = 999;

/// A device's handle is its index + 1; that of a part is its device's, and 1000 for each part.
type Handle = *mut c_void;
const PART: usize = 1000;

/// `nvmlPciInfo_t`
#[repr(C)]
pub struct PciInfo {
    bus_id_legacy: [c_char; 16],
    domain: c_uint,
    bus: c_uint,
    device: c_uint,
    pci_device_id: c_uint,
    pci_sub_system_id: c_uint,
    bus_id: [c_char; 32],
}

/// `nvmlFieldValue_t`
#[repr(C)]
pub struct FieldValue {
    field_id: c_uint,
    scope_id: c_uint,
    timestamp: i64,
    latency: i64,
    value_type: c_uint,
    code: Code,
    value: u64,
}

/// `nvmlProcessInfo_t`, as of the functions that end in `_v2` and `_v3`
#[repr(C)]
pub struct ProcessInfo {
    pid: c_uint,
    used_gpu_memory: c_ulonglong,
    gpu_instance_id: c_uint,
    compute_instance_id: c_uint,
}

/// `nvmlProcessUtilizationSample_t`
#[repr(C)]
pub struct ProcessUtilization {
    pid: c_uint,
    timestamp: c_ulonglong,
    sm: c_uint,
    memory: c_uint,
    encoder: c_uint,
    decoder: c_uint,
}

/// `nvmlMemory_t`
#[repr(C)]
pub struct Memory {
    total: c_ulonglong,
    free: c_ulonglong,
    used: c_ulonglong,
}

/// `nvmlMemory_v2_t`
#[repr(C)]
pub struct MemoryV2 {
    version: c_uint,
    total: c_ulonglong,
    reserved: c_ulonglong,
    free: c_ulonglong,
    used: c_ulonglong,
}

/// `nvmlUtilization_t`
#[repr(C)]
pub struct Utilization {
    gpu: c_uint,
    memory: c_uint,
}

/// The script beside the shared library that this code is in.
fn script() -> Option<Script> {
    static FOLDER: OnceLock<Option<PathBuf>> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let mut info = libc::Dl_info {
            dli_fname: std::ptr::null(),
            dli_fbase: std::ptr::null_mut(),
            dli_sname: std::ptr::null(),
            dli_saddr: std::ptr::null_mut(),
        };
        let here = nvmlInit_v2 as *const c_void;
        // SAFETY: `dladdr` fills the structure, and its text lives as long as the library.
        let name = unsafe {
            if libc::dladdr(here, &raw mut info) == 0 || info.dli_fname.is_null() {
                return None;
            }
            CStr::from_ptr(info.dli_fname)
        };
        let library = PathBuf::from(OsStr::from_bytes(name.to_bytes()));
        Some(library.parent()?.to_path_buf())
    });
    let text = std::fs::read_to_string(folder.as_ref()?.join("script.json")).ok()?;
    match serde_json::from_str(&text) {
        Ok(script) => Some(script),
        Err(error) => {
            eprintln!("fake NVML: script.json: {error}");
            None
        }
    }
}

/// Seconds since the start.
fn time(script: &Script) -> f64 {
    static BEGUN: OnceLock<Instant> = OnceLock::new();
    match (&script.time_file, script.begins_at) {
        (Some(file), _) => std::fs::read_to_string(file)
            .ok()
            .and_then(|text| text.trim().parse().ok())
            .unwrap_or(0.0),
        (None, Some(begins_at)) => {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            now.as_secs_f64() - begins_at
        }
        (None, None) => BEGUN.get_or_init(Instant::now).elapsed().as_secs_f64(),
    }
}

/// Runs `answer` on a device and the time, unless the script lets `function` fail.
fn on_device(
    handle: Handle,
    function: &str,
    answer: impl FnOnce(&Device, f64) -> Result<(), Code>,
) -> Code {
    let run = || {
        let script = script().ok_or(UNINITIALIZED)?;
        let index = (handle as usize % PART).checked_sub(1).ok_or(INVALID_ARGUMENT)?;
        let device = script.devices.get(index).ok_or(INVALID_ARGUMENT)?;
        let now = time(&script);
        if device.lost_at.is_some_and(|lost| now >= lost) {
            return Err(GPU_IS_LOST);
        }
        fails(device, function)?;
        answer(device, now)
    };
    run().err().unwrap_or(SUCCESS)
}

fn fails(device: &Device, function: &str) -> Result<(), Code> {
    device.fails.get(function).map_or(Ok(()), |&code| Err(code))
}

/// Writes a text with its end into a buffer of the caller.
unsafe fn write_text(text: &str, to: *mut c_char, length: c_uint) -> Result<(), Code> {
    if text.len() >= length as usize {
        return Err(INSUFFICIENT_SIZE);
    }
    // SAFETY: the caller's buffer has `length` bytes, which is more than the text has.
    unsafe {
        std::ptr::copy_nonoverlapping(text.as_ptr().cast(), to, text.len());
        *to.add(text.len()) = 0;
    }
    Ok(())
}

/// Defines functions that write one value of a device through a pointer.
macro_rules! getters {
    ($($name:ident: $type:ty = |$device:pat_param, $time:pat_param| $value:expr;)*) => {$(
        #[doc = concat!("See `", stringify!($name), "` in `nvml.h`.")]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name(handle: Handle, to: *mut $type) -> Code {
            on_device(handle, stringify!($name), |$device, $time| {
                // SAFETY: the caller gives a place for the value.
                unsafe { *to = $value };
                Ok(())
            })
        }
    )*};
}

getters! {
    nvmlDeviceGetTotalEnergyConsumption: c_ulonglong =
        |device, now| (device.counter(now) * 1e3) as c_ulonglong;
    nvmlDeviceGetPowerUsage: c_uint = |device, now| (device.watts(now) * 1e3) as c_uint;
    nvmlDeviceGetEnforcedPowerLimit: c_uint = |device, _| device.power_limit;
    nvmlDeviceGetPowerManagementLimit: c_uint = |device, _| device.power_limit;
    nvmlDeviceGetArchitecture: c_uint = |device, _| device.architecture;
    nvmlDeviceGetNumGpuCores: c_uint = |device, _| device.cores;
    nvmlDeviceGetComputeMode: c_uint = |_, _| 0;
    nvmlDeviceGetMaxMigDeviceCount: c_uint = |device, _| device.mig_uuids.len() as c_uint;
    nvmlDeviceGetMemoryInfo: Memory =
        |device, _| Memory { total: device.memory, free: device.memory, used: 0 };
    nvmlDeviceGetUtilizationRates: Utilization = |device, _| Utilization {
        gpu: device.processes.iter().map(|process| process.sm).sum(),
        memory: 0
    };
    nvmlDeviceGetPciInfo_v3: PciInfo = |device, _| pci_info(device);
}

fn pci_info(device: &Device) -> PciInfo {
    let mut numbers = device
        .bus_id
        .split([':', '.'])
        .map(|number| c_uint::from_str_radix(number, 16).unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    let mut info = PciInfo {
        bus_id_legacy: [0; 16],
        domain: next(),
        bus: next(),
        device: next(),
        pci_device_id: 0x20B0_10DE,
        pci_sub_system_id: 0,
        bus_id: [0; 32],
    };
    for (to, from) in info.bus_id.iter_mut().take(31).zip(device.bus_id.bytes()) {
        *to = from.cast_signed() as c_char;
    }
    info
}

/// See `nvml.h`.
#[unsafe(no_mangle)]
pub extern "C" fn nvmlInit_v2() -> Code {
    script().map_or(UNKNOWN, |script| {
        time(&script);
        SUCCESS
    })
}

/// See `nvml.h`.
#[unsafe(no_mangle)]
pub extern "C" fn nvmlInitWithFlags(_: c_uint) -> Code {
    nvmlInit_v2()
}

/// See `nvml.h`.
#[unsafe(no_mangle)]
pub extern "C" fn nvmlShutdown() -> Code {
    SUCCESS
}

/// See `nvml.h`.
#[unsafe(no_mangle)]
pub extern "C" fn nvmlErrorString(code: Code) -> *const c_char {
    let text = match code {
        SUCCESS => c"Success",
        NOT_SUPPORTED => c"Not Supported",
        GPU_IS_LOST => c"GPU is lost",
        _ => c"Unknown Error",
    };
    text.as_ptr()
}

/// See `nvml.h`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlSystemGetDriverVersion(to: *mut c_char, length: c_uint) -> Code {
    // SAFETY: as `nvml.h` demands.
    unsafe { write_text("550.54.15", to, length) }.err().unwrap_or(SUCCESS)
}

/// See `nvml.h`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlSystemGetNVMLVersion(to: *mut c_char, length: c_uint) -> Code {
    // SAFETY: as `nvml.h` demands.
    unsafe { write_text("12.550.54.15", to, length) }.err().unwrap_or(SUCCESS)
}

/// See `nvml.h`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetCount_v2(to: *mut c_uint) -> Code {
    let Some(script) = script() else { return UNINITIALIZED };
    // SAFETY: the caller gives a place for the value.
    unsafe { *to = script.devices.len() as c_uint };
    SUCCESS
}

/// Writes the handle of the first device that `fits`.
unsafe fn handle_of(to: *mut Handle, fits: impl Fn(usize, &Device) -> bool) -> Code {
    let Some(script) = script() else { return UNINITIALIZED };
    let mut devices = script.devices.iter().enumerate();
    let Some((index, _)) = devices.find(|(index, device)| fits(*index, device)) else {
        return NOT_FOUND;
    };
    let handle = (index + 1) as Handle;
    let code = on_device(handle, "nvmlDeviceGetHandle", |_, _| Ok(()));
    if code == SUCCESS {
        // SAFETY: the caller gives a place for the handle.
        unsafe { *to = handle };
    }
    code
}

/// See `nvml.h`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetHandleByIndex_v2(index: c_uint, to: *mut Handle) -> Code {
    // SAFETY: as `nvml.h` demands.
    unsafe { handle_of(to, |at, _| at == index as usize) }
}

/// See `nvml.h`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetHandleByUUID(uuid: *const c_char, to: *mut Handle) -> Code {
    // SAFETY: as `nvml.h` demands.
    unsafe {
        let uuid = CStr::from_ptr(uuid).to_bytes();
        handle_of(to, |_, device| device.uuid.as_bytes() == uuid)
    }
}

/// See `nvml.h`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetHandleByPciBusId_v2(
    bus_id: *const c_char,
    to: *mut Handle,
) -> Code {
    // SAFETY: as `nvml.h` demands.
    unsafe {
        let bus_id = CStr::from_ptr(bus_id).to_bytes();
        handle_of(to, |_, device| device.bus_id.as_bytes() == bus_id)
    }
}

/// See `nvml.h`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetIndex(handle: Handle, to: *mut c_uint) -> Code {
    on_device(handle, "nvmlDeviceGetIndex", |_, _| {
        // SAFETY: the caller gives a place for the value.
        unsafe { *to = (handle as usize % PART - 1) as c_uint };
        Ok(())
    })
}

/// See `nvml.h`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetMigDeviceHandleByIndex(
    handle: Handle,
    part: c_uint,
    to: *mut Handle,
) -> Code {
    on_device(handle, "nvmlDeviceGetMigDeviceHandleByIndex", |device, _| {
        if part as usize >= device.mig_uuids.len() {
            return Err(NOT_FOUND);
        }
        // SAFETY: the caller gives a place for the handle.
        unsafe { *to = (handle as usize + PART * (part as usize + 1)) as Handle };
        Ok(())
    })
}

/// See `nvml.h`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetName(
    handle: Handle,
    to: *mut c_char,
    length: c_uint,
) -> Code {
    // SAFETY: as `nvml.h` demands.
    on_device(handle, "nvmlDeviceGetName", |device, _| unsafe {
        write_text(&device.name, to, length)
    })
}

/// See `nvml.h`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetUUID(
    handle: Handle,
    to: *mut c_char,
    length: c_uint,
) -> Code {
    on_device(handle, "nvmlDeviceGetUUID", |device, _| {
        let part = (handle as usize / PART).checked_sub(1);
        let uuid = part.map_or(Some(&device.uuid), |part| device.mig_uuids.get(part));
        // SAFETY: as `nvml.h` demands.
        unsafe { write_text(uuid.ok_or(NOT_FOUND)?, to, length) }
    })
}

/// See `nvml.h`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetTemperature(
    handle: Handle,
    _sensor: c_uint,
    to: *mut c_uint,
) -> Code {
    on_device(handle, "nvmlDeviceGetTemperature", |device, _| {
        // SAFETY: the caller gives a place for the value.
        unsafe { *to = device.temperature };
        Ok(())
    })
}

/// See `nvml.h`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetMaxClockInfo(
    handle: Handle,
    _clock: c_uint,
    to: *mut c_uint,
) -> Code {
    on_device(handle, "nvmlDeviceGetMaxClockInfo", |device, _| {
        // SAFETY: the caller gives a place for the value.
        unsafe { *to = device.megahertz };
        Ok(())
    })
}

/// See `nvml.h`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetMemoryInfo_v2(handle: Handle, to: *mut MemoryV2) -> Code {
    on_device(handle, "nvmlDeviceGetMemoryInfo_v2", |device, _| {
        // SAFETY: the caller gives a place for the value.
        let to = unsafe { &mut *to };
        (to.total, to.free, to.used, to.reserved) = (device.memory, device.memory, 0, 0);
        Ok(())
    })
}

/// See `nvml.h`. Of the fields there are 83 (energy) and 186 (power of this moment).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetFieldValues(
    handle: Handle,
    count: c_int,
    values: *mut FieldValue,
) -> Code {
    const UNSIGNED_INT: c_uint = 1;
    const UNSIGNED_LONG_LONG: c_uint = 3;
    on_device(handle, "nvmlDeviceGetFieldValues", |device, now| {
        // SAFETY: the caller gives an array of `count` values.
        let values = unsafe { std::slice::from_raw_parts_mut(values, count.max(0) as usize) };
        for value in values {
            value.code =
                fails(device, &format!("field {}", value.field_id)).err().unwrap_or(SUCCESS);
            (value.value_type, value.value) = match value.field_id {
                83 => (UNSIGNED_LONG_LONG, (device.counter(now) * 1e3) as u64),
                186 => (UNSIGNED_INT, (device.watts(now) * 1e3) as u64),
                _ => {
                    value.code = NOT_SUPPORTED;
                    continue;
                }
            };
        }
        Ok(())
    })
}

/// Writes as many items as the caller has room for, or how many there are.
unsafe fn write_items<T>(
    items: impl ExactSizeIterator<Item = T>,
    count: *mut c_uint,
    to: *mut T,
) -> Result<(), Code> {
    // SAFETY: the caller gives the room in `count`, and an array of that many items.
    unsafe {
        let room = *count as usize;
        *count = items.len() as c_uint;
        if items.len() > room || (to.is_null() && items.len() > 0) {
            return Err(INSUFFICIENT_SIZE);
        }
        for (index, item) in items.enumerate() {
            to.add(index).write(item);
        }
    }
    Ok(())
}

/// See `nvml.h`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetComputeRunningProcesses_v3(
    handle: Handle,
    count: *mut c_uint,
    to: *mut ProcessInfo,
) -> Code {
    on_device(handle, "nvmlDeviceGetComputeRunningProcesses_v3", |device, _| {
        let processes = device.processes.iter().map(|process| process_info(process.pid));
        // SAFETY: as `nvml.h` demands.
        unsafe { write_items(processes, count, to) }
    })
}

/// See `nvml.h`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetMPSComputeRunningProcesses_v3(
    handle: Handle,
    count: *mut c_uint,
    to: *mut ProcessInfo,
) -> Code {
    on_device(handle, "nvmlDeviceGetMPSComputeRunningProcesses_v3", |device, _| {
        let clients = device.mps_clients.iter().map(|&pid| process_info(pid));
        // SAFETY: as `nvml.h` demands.
        unsafe { write_items(clients, count, to) }
    })
}

fn process_info(pid: u32) -> ProcessInfo {
    ProcessInfo {
        pid,
        used_gpu_memory: 1 << 30,
        gpu_instance_id: c_uint::MAX,
        compute_instance_id: c_uint::MAX,
    }
}

/// See `nvml.h`. None here.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetGraphicsRunningProcesses_v3(
    handle: Handle,
    count: *mut c_uint,
    _to: *mut ProcessInfo,
) -> Code {
    on_device(handle, "nvmlDeviceGetGraphicsRunningProcesses_v3", |_, _| {
        // SAFETY: the caller gives a place for the value.
        unsafe { *count = 0 };
        Ok(())
    })
}

/// See `nvml.h`. One sample of each process, taken now.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nvmlDeviceGetProcessUtilization(
    handle: Handle,
    to: *mut ProcessUtilization,
    count: *mut c_uint,
    _last_seen: c_ulonglong,
) -> Code {
    on_device(handle, "nvmlDeviceGetProcessUtilization", |device, now| {
        let samples = device.processes.iter().map(|process| ProcessUtilization {
            pid: process.pid,
            timestamp: (now * 1e6) as c_ulonglong,
            sm: process.sm,
            memory: 0,
            encoder: 0,
            decoder: 0,
        });
        // SAFETY: as `nvml.h` demands.
        unsafe { write_items(samples, count, to) }
    })
}
